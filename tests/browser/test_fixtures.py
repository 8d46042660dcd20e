"""What the engine in the browser is held to is what the service does now.

Where this fails: ``python -m tests.browser.fixtures``, and see that frontend/ still passes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image

from tests.browser.fixtures import (
    FILLING,
    FOLDER,
    TILING,
    WIDE,
    WIDE_COLOUR,
    engine_pictures,
    fill_cases,
    picture,
    tiling_cases,
    wide_profile,
)


def stored(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def test_the_planner_gives_the_shared_plans() -> None:
    assert tiling_cases() == stored(TILING)


def test_filling_gives_the_shared_results() -> None:
    made, kept = fill_cases(), stored(FILLING)
    for name in ("distance", "margins", "holes", "bleed"):
        assert made[name] == kept[name], name
    assert made["structure"]["hole"] == kept["structure"]["hole"]
    # Libraries of linear algebra differ in their last bits.
    np.testing.assert_allclose(made["structure"]["filled"], kept["structure"]["filled"], atol=0.5)
    assert [case["photo"] for case in made["psnr"]] == [case["photo"] for case in kept["psnr"]]
    mean = [np.mean([case["psnrDb"] for case in cases["psnr"]]) for cases in (made, kept)]
    assert mean[0] == pytest.approx(mean[1], abs=0.3)


def test_the_pictures_are_what_they_were() -> None:
    for path in sorted((FOLDER / "fill").glob("*.png")):
        number = int(path.stem.removeprefix("photo-"))
        assert np.array_equal(read(path), picture(number))
    for name, pixels in engine_pictures().items():
        assert np.array_equal(read(FOLDER / f"engine/{name}.png"), pixels)


def test_the_wide_pictures_have_the_profile() -> None:
    for name in WIDE:
        with Image.open(FOLDER / "engine" / name) as image:
            assert image.info["icc_profile"] == wide_profile()
            assert image.getpixel((5, 5)) == pytest.approx(WIDE_COLOUR, abs=1)
            orientation = image.getexif().get(ExifTags.Base.Orientation)
            assert orientation == {"wide.png": None, "wide.jpg": 6, "wide.webp": 1}[name]


def read(path: Path) -> Any:
    with Image.open(path) as image:
        return np.asarray(image)
