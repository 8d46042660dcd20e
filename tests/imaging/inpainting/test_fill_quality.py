"""Photographs with holes, beside OpenCV's two methods: a small part of `make bench CASES=inpaint`."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.holes import Merit, merit
from pixelmend.imaging.inpainting.fill import fill
from tests.pictures import photo

pytestmark = pytest.mark.full

SIDE_PX = 160
PLACES = (("astronaut", 300, 90), ("chelsea", 150, 100), ("coffee", 20, 200))
Mask = NDArray[np.bool_]


def thin_lines() -> Mask:
    y, x = np.mgrid[0:SIDE_PX, 0:SIDE_PX]
    slanted: Mask = ((x + y) % 45 < 4) | ((2 * x - y) % 90 < 7)
    return slanted


def box() -> Mask:
    hole = np.zeros((SIDE_PX, SIDE_PX), bool)
    hole[60:105, 50:100] = True
    return hole


def wave() -> Mask:
    y, x = np.mgrid[0:SIDE_PX, 0:SIDE_PX]
    inside: Mask = np.abs(y - 80 - 35 * np.sin(x / 20)) < 9
    return inside


def merits(hole: Mask) -> tuple[Merit, Merit]:
    """Means over the photographs: ours, and the best that either of OpenCV's reaches in each figure."""
    found = []
    for name, left, top in PLACES:
        whole = photo(name, SIDE_PX, left, top)
        broken = np.where(hole[:, :, None], np.uint8(0), whole)
        others = [
            np.asarray(cv2.inpaint(broken, hole.astype(np.uint8), 5, method), np.uint8)
            for method in (cv2.INPAINT_NS, cv2.INPAINT_TELEA)
        ]
        found.append([merit(whole, filled, hole) for filled in (fill(broken, hole), *others)])
    ours, *others_mean = (
        Merit(*(float(np.mean([getattr(row[i], figure) for row in found])) for figure in Merit.__slots__))
        for i in range(3)
    )
    best = Merit(*(max(getattr(other, figure) for other in others_mean) for figure in Merit.__slots__))
    return ours, best


def test_thin_lines_are_likelier_than_opencvs() -> None:
    ours, best = merits(thin_lines())
    assert ours.psnr_db > best.psnr_db + 0.5
    assert ours.ssim > best.ssim


@pytest.mark.parametrize("shape", [box, wave])
def test_larger_holes_are_as_like_as_opencvs_and_livelier(shape: Callable[[], Mask]) -> None:
    ours, best = merits(shape())
    assert ours.psnr_db > best.psnr_db - 0.7
    assert ours.ssim > best.ssim
    assert 0.6 < ours.steepness < 1.4
