"""Small pictures and files for the tests, made by libraries other than the code under test."""

import io
import random
import struct
import zlib
from typing import Any

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, ImageCms

EXIF_ORIENTATION = 0x0112


def photo(height: int = 40, width: int = 60, channels: int = 3) -> NDArray[np.uint8]:
    """A smooth, colourful picture without symmetry, (H, W, C); alpha, if any, is a ramp."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [
        40 + 180 * x / width,
        30 + 190 * y / height,
        128 + 90 * np.sin(x / 9 + y / 14),
        255 * (x + y) / (width + height),
    ]
    chosen = {1: [0], 2: [0, 3], 3: [0, 1, 2], 4: [0, 1, 2, 3]}[channels]
    return np.stack([planes[i] for i in chosen], axis=2).round().astype(np.uint8)


def noise(height: int, width: int, channels: int, bits: int = 8, seed: int = 0) -> NDArray[Any]:
    kind = np.uint8 if bits == 8 else np.uint16
    return np.random.default_rng(seed).integers(0, 2**bits, (height, width, channels), dtype=kind)


def pillow(pixels: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """`image` encoded by Pillow (HEIC by pillow_heif)."""
    buffer = io.BytesIO()
    if kind == "heic":
        pillow_heif.from_pillow(image).save(buffer, **options)
    else:
        image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif_block(orientation: int = 1, **extra: Any) -> Image.Exif:
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    for tag, value in extra.items():
        exif[int(tag.removeprefix("t"), 16)] = value
    return exif


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def grey_profile(gamma: float = 1.8) -> bytes:
    """A minimal ICC v2 grey profile: white point, gamma curve, texts."""
    text = b"text\0\0\0\0none\0\0\0\0"
    description = b"desc" + bytes(4) + struct.pack(">I", 5) + b"grey\0" + bytes(78 + 1)
    white = b"XYZ " + bytes(4) + struct.pack(">iii", 63190, 65536, 54061)
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    bodies = [(b"desc", description), (b"cprt", text), (b"wtpt", white), (b"kTRC", curve)]
    offset = 128 + 4 + 12 * len(bodies)
    table, data = struct.pack(">I", len(bodies)), b""
    for name, body in bodies:
        body += bytes(-len(body) % 4)
        table += struct.pack(">4sII", name, offset + len(data), len(body))
        data += body
    head = struct.pack(">I4xI4s4s4s", offset + len(data), 0x02400000, b"mntr", b"GRAY", b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += struct.pack(">iii", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + data


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_file(
    width: int, height: int, *, depth: int = 8, colour: int = 2, chunks: bytes = b"", data: bytes = b""
) -> bytes:
    """A PNG put together by hand; it claims `width` x `height`, whatever `data` (raw rows) holds."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = png_chunk(b"IDAT", zlib.compress(data))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + chunks + body + png_chunk(b"IEND", b"")


def vp8l_file(width: int, height: int) -> bytes:
    """The first bytes of a lossless WebP of the claimed size: 34 in all."""
    packed = (width - 1) | (height - 1) << 14
    body = struct.pack("<BI", 0x2F, packed) + bytes(9)
    return struct.pack("<4sI4s4sI", b"RIFF", 4 + 8 + len(body), b"WEBP", b"VP8L", len(body)) + body


def one_of_each() -> dict[str, bytes]:
    """A small valid file of every input format, with metadata if the format has any."""
    rgb, rgba = pillow(photo()), pillow(photo(channels=4))
    exif = exif_block(6, t010f="Maker")
    return {
        "jpeg": saved(rgb, "jpeg", exif=exif, icc_profile=srgb_profile(), dpi=(300, 300)),
        "png": saved(rgba, "png", exif=exif, icc_profile=srgb_profile(), dpi=(300, 300)),
        "webp": saved(rgba, "webp", exif=exif, icc_profile=srgb_profile()),
        "avif": saved(rgba, "avif", exif=exif),
        "heic": saved(rgba, "heic"),
        "tiff": saved(rgb, "tiff", compression="tiff_adobe_deflate"),
        "bmp": saved(rgb, "bmp"),
        "gif": saved(rgb, "gif"),
    }


def mutated(data: bytes, chance: random.Random) -> bytes:
    """`data` with bytes changed, cut off, taken out or repeated."""
    changed = bytearray(data)
    match chance.randrange(4):
        case 0:
            for _ in range(chance.randrange(1, 6)):
                changed[chance.randrange(len(changed))] = chance.randrange(256)
        case 1:
            del changed[chance.randrange(len(changed)) :]
        case 2:
            at, end = sorted(chance.randrange(len(changed)) for _ in range(2))
            del changed[at:end]
        case _:
            at, source = chance.randrange(len(changed)), chance.randrange(len(changed))
            changed[at:at] = changed[source : source + chance.randrange(1, 64)]
    return bytes(changed)
