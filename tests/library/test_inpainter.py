"""Holes of arrays are filled."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pixelmend import Inpainter
from pixelmend.core.errors import InvalidParameter
from pixelmend.imaging.codec import decode
from pixelmend.imaging.probe import InputLimits
from tests.library.pictures import as_png, pictures

PICTURES = pictures()
HOLE = np.zeros((64, 64), np.bool_)
HOLE[20:30, 25:45] = True


@pytest.fixture(scope="module")
def inpainter() -> Iterator[Inpainter]:
    with Inpainter(device="cpu") as opened:
        yield opened


@pytest.mark.parametrize("name", ["rgb", "grey", "rgba", "rgb, 16 bits"])
def test_what_lies_far_from_the_mask_stays_as_it_is(inpainter: Inpainter, name: str) -> None:
    image = PICTURES[name]
    result = inpainter.inpaint(image, HOLE, grow=3)
    assert (result.shape, result.dtype) == (image.shape, image.dtype)
    changed = result != image if image.ndim == 2 else (result != image).any(axis=2)
    assert changed[HOLE].mean() > 0.5
    assert not changed[:16].any()
    assert not changed[34:].any()


def test_it_is_what_the_command_makes(inpainter: Inpainter, tmp_path: Path) -> None:
    as_png(PICTURES["rgb"], tmp_path / "image.png")
    as_png(HOLE.astype(np.uint8) * 255, tmp_path / "mask.png")
    command = [sys.executable, "-m", "pixelmend.cli", "inpaint", "image.png", "mask.png", "-o", "out.png"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PIXELMEND_")}
    subprocess.run([*command, "--device", "cpu", "--grow", "6"], env=environment, cwd=tmp_path, check=True)
    expected = decode(tmp_path / "out.png", InputLimits()).pixels
    result, report = inpainter.inpaint_with_report(PICTURES["rgb"], HOLE, grow=6)
    np.testing.assert_array_equal(result, expected)
    assert report.inpainted_by == "pixelmend-fill"
    assert report.inpainted_px >= HOLE.sum()


def test_masks_mean_what_they_do_elsewhere(inpainter: Inpainter) -> None:
    image = PICTURES["rgb"]
    white = HOLE.astype(np.uint8) * 255
    expected = inpainter.inpaint(image, HOLE)
    np.testing.assert_array_equal(inpainter.inpaint(image, white), expected)
    stroke = np.dstack([np.full((64, 64), 9, np.uint8)] * 3 + [white])
    np.testing.assert_array_equal(inpainter.inpaint(image, stroke, polarity="opaque"), expected)
    np.testing.assert_array_equal(inpainter.inpaint(image, np.zeros_like(HOLE)), image)


def test_a_mask_that_does_not_fit_is_refused(inpainter: Inpainter) -> None:
    with pytest.raises(ValueError, match="mask has the type float64"):
        inpainter.inpaint(PICTURES["rgb"], HOLE.astype(float))
    with pytest.raises(InvalidParameter, match="mask"):
        inpainter.inpaint(PICTURES["rgb"], HOLE[:10])
    with pytest.raises(ValueError, match="mask_grow='300'"):
        inpainter.inpaint(PICTURES["rgb"], HOLE, grow=300)
    with pytest.raises(ValueError, match="mask_polarity='black'"):
        inpainter.inpaint(PICTURES["rgb"], HOLE, polarity="black")
