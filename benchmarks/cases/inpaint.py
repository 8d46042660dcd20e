"""What is put under a mask, beside OpenCV's two methods: likeness, liveliness and time, inside the hole."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.context import Context
from benchmarks.holes import FAMILIES, Broken, Mask, Merit, broken_photos, merit
from benchmarks.pictures import Bytes
from benchmarks.report import Row, Target, at_least, at_most

Filler = Callable[[Bytes, Mask], Bytes]

_SHEET_VARIABLE = "PIXELMEND_BENCH_SHEET"
_OPENCV_RADIUS_PX = 5
_AROUND_PX = 30
_SHEET_PX = 200
_SHOWN = (0, 2, 4, 6, 9)
_SHEET_COLUMNS = ("Navier-Stokes", "ours")


def inpaint(context: Context) -> list[Row]:
    """Ten photographs, three families of masks.

    Where PIXELMEND_BENCH_SHEET names a PNG file, a contact sheet is written there: the hole, Navier-Stokes,
    ours, the original.
    """
    rows, sheet = [], []
    for family in FAMILIES:
        merits: dict[str, list[Merit]] = {name: [] for name in _fillers()}
        seconds = dict.fromkeys(merits, 0.0)
        area_px = 0
        for index, broken in enumerate(broken_photos(family, context.repeats(2, 1))):
            area_px += int(np.count_nonzero(broken.hole))
            filled = {}
            for name, fill in _fillers().items():
                began_s = time.perf_counter()
                filled[name] = fill(broken.pixels, broken.hole)
                seconds[name] += time.perf_counter() - began_s
                merits[name].append(merit(broken.photo, filled[name], broken.hole))
            if index in _SHOWN:
                sheet.append(_strip(broken, [filled[name] for name in _SHEET_COLUMNS]))
        rows += _rows(family, merits, {name: spent * 1e6 / area_px for name, spent in seconds.items()})
        context.say(f"{family}: {seconds['ours']:.0f} s of ours")
    if path := os.environ.get(_SHEET_VARIABLE):
        Image.fromarray(np.concatenate(sheet)).save(Path(path))
    return rows


def _fillers() -> dict[str, Filler]:
    import cv2

    def opencv(method: int) -> Filler:
        return lambda pixels, hole: np.asarray(
            cv2.inpaint(pixels, hole.astype(np.uint8), _OPENCV_RADIUS_PX, method), np.uint8
        )

    return {
        "Telea": opencv(cv2.INPAINT_TELEA),
        "Navier-Stokes": opencv(cv2.INPAINT_NS),
        "structure alone": _structure,
        "ours": _ours,
    }


def _ours(pixels: Bytes, hole: Mask) -> Bytes:
    from pixelmend.imaging.inpainting.fill import fill

    return fill(pixels, hole)


def _structure(pixels: Bytes, hole: Mask) -> Bytes:
    from pixelmend.imaging.inpainting.crop import structures
    from pixelmend.imaging.inpainting.pyramid import levels_of

    levels = levels_of(pixels.astype(np.float32), hole)
    smooth = structures(levels, None, lambda: None)[0]
    return np.asarray(np.rint(smooth.clip(0, 255)), np.uint8)


def _rows(family: str, merits: dict[str, list[Merit]], per_megapixel_s: dict[str, float]) -> list[Row]:
    psnr = {name: float(np.mean([m.psnr_db for m in found])) for name, found in merits.items()}
    ssim = {name: float(np.mean([m.ssim for m in found])) for name, found in merits.items()}
    steep = {name: float(np.mean([m.steepness for m in found])) for name, found in merits.items()}
    others = ("Telea", "Navier-Stokes")
    thin = family == "thin lines"
    lead_db = psnr["ours"] - max(psnr[name] for name in others)
    lead_ssim = ssim["ours"] - max(ssim[name] for name in others)
    of_original = "x the original"

    def row(what: str, value: float, unit: str, target: Target | None, figures: dict[str, float]) -> Row:
        note = ", ".join(f"{name} {figure:.4g}" for name, figure in figures.items())
        return Row(f"{family}: {what}", value, unit, target, note, {"means": figures})

    return [
        row("PSNR less the better of OpenCV's", lead_db, "dB", at_least(0.5 if thin else -0.7, "dB"), psnr),
        row("SSIM less the better of OpenCV's", lead_ssim, "", None if thin else at_least(0, ""), ssim),
        row("mean gradient", steep["ours"], of_original, None if thin else at_least(0.6, of_original), steep),
        row("mean gradient", steep["ours"], of_original, None if thin else at_most(1.4, of_original), steep),
        row("time per megapixel of hole", per_megapixel_s["ours"], "s", None, per_megapixel_s),
    ]


def _strip(broken: Broken, filled: list[Bytes]) -> Bytes:
    """What is around the hole's first part, side by side: the hole, the fillings, the original."""
    rows, columns = np.nonzero(broken.hole)
    limit = len(broken.hole) - _SHEET_PX
    top, left = (min(max(int(axis.min()) - _AROUND_PX, 0), limit) for axis in (rows, columns))
    part = np.s_[top : top + _SHEET_PX, left : left + _SHEET_PX]
    marked = np.where(broken.hole[:, :, None], np.array([255, 0, 255], np.uint8), broken.photo)
    return np.concatenate([image[part] for image in (marked, *filled, broken.photo)], axis=1)
