"""Photographs with holes in them, and figures of merit inside the hole."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from benchmarks.pictures import Bytes

Mask = NDArray[np.bool_]

SIDE_PX = 400
FILES = (
    "astronaut.png",
    "camera.png",
    "chelsea.png",
    "coffee.png",
    "coins.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "motorcycle_left.png",
    "retina.jpg",
    "rocket.jpg",
)
"""In scikit-image's wheel, so that nothing is downloaded."""
_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True, slots=True)
class Broken:
    """photo: (SIDE_PX, SIDE_PX, 3); hole: what of it is taken away."""

    name: str
    photo: Bytes
    hole: Mask

    @property
    def pixels(self) -> Bytes:
        """The photograph with nothing left in the hole."""
        return np.where(self.hole[:, :, None], np.uint8(0), self.photo)


@dataclass(frozen=True, slots=True)
class Merit:
    """Inside the hole. steepness: mean gradient magnitude as a multiple of the original's."""

    psnr_db: float
    ssim: float
    steepness: float


def thin_lines(random: np.random.Generator) -> Mask:
    """Seven bent lines, 2 to 6 px wide."""
    return _strokes(random, 7, (2, 6), 6, SIDE_PX / 7)


def box(random: np.random.Generator) -> Mask:
    """A rectangle with sides of 50 to 99 px."""
    width, height = random.integers(SIDE_PX // 8, SIDE_PX // 4, 2)
    left, top = random.integers(8, SIDE_PX - width - 8), random.integers(8, SIDE_PX - height - 8)
    hole = np.zeros((SIDE_PX, SIDE_PX), bool)
    hole[top : top + height, left : left + width] = True
    return hole


def free_form(random: np.random.Generator) -> Mask:
    """Five bent strokes, 8 to 24 px wide."""
    return _strokes(random, 5, (8, 24), 5, SIDE_PX / 11)


FAMILIES: dict[str, Callable[[np.random.Generator], Mask]] = {
    "thin lines": thin_lines,
    "box": box,
    "free-form": free_form,
}


def broken_photos(family: str, seeds: int) -> Iterator[Broken]:
    """Every photograph with `seeds` holes of a family, one at a time; always the same."""
    for seed in range(1, seeds + 1):
        for index, file in enumerate(FILES):
            random = np.random.default_rng([seed, index, list(FAMILIES).index(family)])
            yield Broken(Path(file).stem, _photo(file), FAMILIES[family](random))


def merit(original: Bytes, filled: Bytes, hole: Mask) -> Merit:
    from skimage.metrics import structural_similarity

    error = float(np.mean((original.astype(np.float64) - filled)[hole] ** 2))
    similarity: Callable[..., tuple[float, NDArray[np.float64]]] = structural_similarity
    ssim = similarity(
        original, filled, channel_axis=2, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False, data_range=255, full=True,
    )[1]  # fmt: skip
    return Merit(
        10 * float(np.log10(255.0**2 / max(error, 1e-9))),
        float(ssim.mean(axis=2)[hole].mean()),
        _gradient(filled, hole) / max(_gradient(original, hole), 1e-9),
    )


def _gradient(pixels: Bytes, hole: Mask) -> float:
    down, right = np.gradient(pixels.astype(np.float64) @ _LUMA)
    return float(np.hypot(down, right)[hole].mean())


def _strokes(
    random: np.random.Generator, count: int, widths: tuple[int, int], turns: int, step_px: float
) -> Mask:
    image = Image.new("L", (SIDE_PX, SIDE_PX))
    draw = ImageDraw.Draw(image)
    for _ in range(count):
        width = int(random.integers(widths[0], widths[1] + 1))
        place = random.uniform(0, SIDE_PX, 2)
        angle = random.uniform(0, 2 * np.pi)
        for _ in range(turns):
            angle += random.normal(0, 0.6)
            goal = np.clip(place + step_px * np.array([np.cos(angle), np.sin(angle)]), 0, SIDE_PX - 1)
            draw.line([*place, *goal], fill=255, width=width)
            draw.ellipse([*(goal - width / 2), *(goal + width / 2)], fill=255)
            place = goal
    return np.asarray(image) > 127


def _photo(file: str) -> Bytes:
    import skimage

    with Image.open(Path(skimage.__file__).parent / "data" / file) as image:
        whole = ImageOps.fit(image.convert("RGB"), (SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
    return np.asarray(whole)
