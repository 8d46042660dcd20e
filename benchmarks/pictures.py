"""What is upscaled and encoded: scikit-image's photographs, and a page of text."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

Bytes = NDArray[np.uint8]

_QUARTER_PX = 512
"""A quarter of the mosaic, near the photographs' own size, so that they are scaled up little for it."""


def photo(width: int, height: int) -> Bytes:
    """(height, width, 3): the astronaut up to 512 px, a mosaic of four photographs beyond."""
    image = _astronaut() if max(width, height) <= _QUARTER_PX else _mosaic()
    return np.asarray(ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS))


def different_photos(count: int, side_px: int) -> list[Bytes]:
    """`count` crops of the mosaic, (side, side, 3), no two of them alike."""
    whole = np.asarray(_mosaic())
    room_px = whole.shape[0] - side_px
    places = np.random.default_rng(0).choice(room_px * room_px, count, replace=False)
    crops = []
    for place in places:
        top, left = divmod(int(place), room_px)
        crops.append(np.ascontiguousarray(whole[top : top + side_px, left : left + side_px]))
    return crops


def page_of_text(side_px: int) -> Bytes:
    """(side, side, 3): black words of several sizes on white, as anti-aliased as a browser's."""
    page = Image.new("RGB", (side_px, side_px), "white")
    draw = ImageDraw.Draw(page)
    random = np.random.default_rng(0)
    letters = np.array(list("etaoinshrdlucmfwypvbgk"))
    top = side_px // 40
    while top < side_px:
        size = int(random.choice([28, 36, 36, 48, 90]))
        words = ["".join(random.choice(letters, random.integers(2, 11))) for _ in range(side_px * 2 // size)]
        draw.text((side_px // 20, top), " ".join(words), "black", ImageFont.load_default(size))
        top += size * 3 // 2
    draw.rectangle((side_px * 19 // 20, 0, side_px, side_px), "white")
    return np.asarray(page)


def as_png(pixels: Bytes) -> bytes:
    return _encoded(pixels, "PNG", compress_level=1)


def as_jpeg(pixels: Bytes) -> bytes:
    return _encoded(pixels, "JPEG", quality=92)


def decoded(data: bytes) -> Bytes:
    """(H, W, 3), of images we have asked for ourselves."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def psnr_db(a: Bytes, b: Bytes) -> float:
    """Peak signal-to-noise ratio; 120 dB if all values are equal."""
    error = float(np.mean((a.astype(np.float32) - b.astype(np.float32)) ** 2))
    return min(120.0, 10 * float(np.log10(255.0**2 / max(error, 1e-12))))


def _encoded(pixels: Bytes, image_format: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, image_format, **options)
    return buffer.getvalue()


def _astronaut() -> Image.Image:
    return Image.fromarray(_shipped("astronaut"))


def _mosaic() -> Image.Image:
    whole = Image.new("RGB", (2 * _QUARTER_PX, 2 * _QUARTER_PX))
    for index, name in enumerate(("astronaut", "coffee", "chelsea", "rocket")):
        picture = Image.fromarray(_shipped(name))
        square = ImageOps.fit(picture, (_QUARTER_PX, _QUARTER_PX), Image.Resampling.LANCZOS)
        whole.paste(square, (index % 2 * _QUARTER_PX, index // 2 * _QUARTER_PX))
    return whole


def _shipped(name: str) -> Bytes:
    """One of the photographs in scikit-image's wheel, (H, W, 3)."""
    from skimage import data

    return np.asarray(getattr(data, name)(), np.uint8)[:, :, :3]
