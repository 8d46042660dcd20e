"""What the engine in the browser is held to, written by the service's own code.

``python -m tests.browser.fixtures`` writes tests/fixtures/ again; test_fixtures.py says whether that is due,
and frontend/tests/processing/browser/ reads it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from pixelmend.core.geometry import Rect, Size, Span
from pixelmend.imaging.alpha import bleed_colour
from pixelmend.imaging.colour import Cicp, Colour
from pixelmend.imaging.colour_profile import profile_for
from pixelmend.imaging.distance import distance_to
from pixelmend.imaging.holes import Crop, plan_holes
from pixelmend.imaging.inpainting.crop import structures
from pixelmend.imaging.inpainting.fill import fill
from pixelmend.imaging.inpainting.pyramid import levels_of
from pixelmend.imaging.mask import feather, grow
from pixelmend.imaging.tiling import AxisTile, plan_tiles
from tests.pictures import photo

FOLDER = Path(__file__).parents[1] / "fixtures"
TILING, FILLING = "tiling_cases.json", "fill/cases.json"

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

SIZES = ((1, 1), (16, 900), (192, 192), (193, 192), (246, 226), (516, 516), (1000, 31), (3001, 2003))
DEMANDS: tuple[dict[str, int], ...] = (
    {"tile_px": 192, "overlap_px": 18},
    {"tile_px": 256, "overlap_px": 18},
    {"tile_px": 100, "overlap_px": 0},
    {"tile_px": 129, "overlap_px": 16, "multiple_of": 4, "minimum_px": 16},
    {"tile_px": 128, "overlap_px": 16, "multiple_of": 8, "blend_px": 16},
)

SIDE_PX = 96
PLACES = (
    ("astronaut", 300, 90),
    ("astronaut", 60, 200),
    ("chelsea", 150, 100),
    ("chelsea", 300, 20),
    ("coffee", 20, 200),
    ("coffee", 330, 120),
)


def tiling_cases() -> list[dict[str, Any]]:
    cases = []
    for width, height in SIZES:
        for demand in DEMANDS:
            plan = plan_tiles(Size(width, height), **demand)
            cases.append(
                {
                    "size": [width, height],
                    "demands": demand,
                    "padded": [plan.padded.width, plan.padded.height],
                    "tile": [plan.tile.width, plan.tile.height],
                    "columns": [_axis(tile) for tile in plan.columns],
                    "rows": [_axis(tile) for tile in plan.rows],
                }
            )
    return cases


def _axis(tile: AxisTile) -> list[int]:
    """Window, core and paste, each from and to."""
    return [place for span in (tile.window, tile.core, tile.paste) for place in (span.start, span.stop)]


def box() -> Mask:
    hole = np.zeros((SIDE_PX, SIDE_PX), bool)
    hole[30:64, 34:60] = True
    return hole


def wave() -> Mask:
    y, x = np.mgrid[0:SIDE_PX, 0:SIDE_PX]
    inside: Mask = np.abs(y - 48 - 20 * np.sin(x / 14)) < 9
    return inside


HOLES: dict[str, Callable[[], Mask]] = {"box": box, "wave": wave}


def fill_cases() -> dict[str, Any]:
    scattered, rects = _scattered()
    small = photo("astronaut", SIDE_PX, 300, 90)[20:60, 16:64].astype(np.float32)
    gap = np.zeros(small.shape[:2], bool)
    gap[10:27, 14:33] = True
    broken = np.where(gap[:, :, None], np.float32(0), small)
    continued = structures(levels_of(broken, gap), None, _never)[0]
    near = distance_to(scattered[:40, :50], 9)
    return {
        "psnr": [
            {"photo": f"photo-{number}.png", "hole": name, "psnrDb": _filled_psnr(number, hole())}
            for number in range(len(PLACES))
            for name, hole in HOLES.items()
        ],
        "distance": {
            "limitPx": 9,
            "hole": _text(scattered[:40, :50]),
            # What is farther is infinite, which JSON does not know.
            "squared": np.where(np.isinf(near), -1, np.rint(near**2)).astype(int).ravel().tolist(),
        },
        "margins": {
            "hole": _text(scattered),
            "growPx": 4,
            "grown": _text(grow(scattered, 4)),
            "featherPx": 3,
            "weights": np.round(feather(scattered, 3), 5).ravel().tolist(),
        },
        "holes": {
            "size": [1400, 900],
            "rects": rects,
            "plans": {str(most): _plan(_painted(rects), most) for most in (768, 200)},
        },
        "structure": {
            "pixels": small.astype(int).ravel().tolist(),
            "size": [small.shape[1], small.shape[0]],
            "hole": _text(gap),
            "filled": np.round(continued, 2).ravel().tolist(),
        },
        "bleed": _bleeding(),
    }


def _never() -> None:
    """No caller cancels."""


def picture(number: int) -> Bytes:
    name, left, top = PLACES[number]
    return photo(name, SIDE_PX, left, top)


def _filled_psnr(number: int, hole: Mask) -> float:
    whole = picture(number)
    filled = fill(np.where(hole[:, :, None], np.uint8(0), whole), hole)
    error = np.mean((whole[hole].astype(float) - filled[hole].astype(float)) ** 2)
    return round(float(10 * np.log10(255**2 / error)), 2)


def _text(mask: Mask) -> list[str]:
    """A row of 0 and 1 for each row."""
    return ["".join("01"[int(value)] for value in row) for row in mask]


def _scattered() -> tuple[Mask, list[list[int]]]:
    """A few strokes in a small picture; rectangles in a large one: left, top, right, bottom."""
    y, x = np.mgrid[0:70, 0:90]
    strokes: Mask = (
        ((x - 20) ** 2 + (y - 22) ** 2 < 40) | ((x > 60) & (x + y == 110)) | ((x == 89) & (y == 0))
    )
    rects = [[5, 5, 30, 12], [90, 40, 200, 170], [700, 300, 1399, 880], [640, 0, 641, 1], [1399, 0, 1400, 60]]
    return strokes, rects


def _painted(rects: list[list[int]]) -> Mask:
    hole = np.zeros((900, 1400), bool)
    for left, top, right, bottom in rects:
        hole[top:bottom, left:right] = True
    return hole


def _plan(hole: Mask, largest_px: int) -> list[dict[str, Any]]:
    return [
        {
            "contextPx": group.context_px,
            "bounds": _crop(group.bounds),
            "crops": [_crop(crop) for crop in group.crops],
        }
        for group in plan_holes(hole, largest_px=largest_px).groups
    ]


def _crop(crop: Crop) -> list[int]:
    """The own part and the window, each left, right, top, bottom."""
    spans: list[Span] = [span for rect in (crop.own, crop.window) for span in _spans(rect)]
    return [place for span in spans for place in (span.start, span.stop)]


def _spans(rect: Rect) -> tuple[Span, Span]:
    return rect.x, rect.y


def _bleeding() -> dict[str, Any]:
    rgba = cut_out(picture(2))[:37, :41]
    return {
        "size": [rgba.shape[1], rgba.shape[0]],
        "pixels": rgba.ravel().tolist(),
        "bled": bleed_colour(rgba).ravel().tolist(),
    }


def cut_out(rgb: Bytes) -> Bytes:
    """With a soft round of it visible, and black where nothing is."""
    height, width = rgb.shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    distance = np.hypot(x - width * 0.45, y - height * 0.5)
    alpha = np.clip((min(width, height) * 0.4 - distance) * 24 + 128, 0, 255).astype(np.uint8)
    return np.dstack([np.where(alpha[:, :, None] == 0, np.uint8(0), rgb), alpha])


def engine_pictures() -> dict[str, Bytes]:
    """What both engines upscale. large: more than one tile."""
    large = photo("chelsea", 230, 120, 60)[:214]
    small = photo("astronaut", 72, 180, 60)
    luma = small @ np.array([0.299, 0.587, 0.114])
    return {
        "small": small,
        "large": large,
        "transparent": cut_out(photo("coffee", 90, 120, 120)),
        "grey": np.rint(luma).astype(np.uint8),
    }


WIDE_COLOUR = (200, 40, 30)


def wide_profile() -> bytes:
    """Display P3, as that of photographs taken by phones."""
    profile = profile_for(Colour(cicp=Cicp(12, 13)), 3)
    assert profile is not None
    return profile


def wide_exif(orientation: int) -> Image.Exif:
    """As a phone writes it; orientation 6: it was held upright."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "A phone"
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.DateTimeOriginal] = "2026:11:28 12:00:00"
    details[ExifTags.Base.ExifImageWidth], details[ExifTags.Base.ExifImageHeight] = 48, 32
    return exif


def write_wide(folder: Path) -> None:
    """One colour with the profile, as Pillow writes it in the formats that the engine's results have."""
    image = Image.new("RGB", (48, 32), WIDE_COLOUR)
    for name, options in WIDE.items():
        image.save(folder / name, icc_profile=wide_profile(), **options)


WIDE: dict[str, dict[str, Any]] = {
    "wide.png": {},
    "wide.jpg": {"quality": 95, "subsampling": 0, "exif": wide_exif(6)},
    "wide.webp": {"lossless": True, "exif": wide_exif(1)},
}


def main() -> None:
    write_wide(FOLDER / "engine")
    for number in range(len(PLACES)):
        Image.fromarray(picture(number)).save(FOLDER / f"fill/photo-{number}.png")
    for name, pixels in engine_pictures().items():
        Image.fromarray(pixels).save(FOLDER / f"engine/{name}.png")
    for path, made in ((TILING, tiling_cases()), (FILLING, fill_cases())):
        (FOLDER / path).write_text(json.dumps(made, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
