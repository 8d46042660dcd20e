"""Colour under transparent pixels, and alpha that stays solid."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pixelmend.imaging.alpha import bleed_colour, snap_alpha
from tests.imaging.samples import noise, photo


def disc(side: int, radius: float) -> NDArray[np.bool_]:
    y, x = np.mgrid[0:side, 0:side]
    inside: NDArray[np.bool_] = np.hypot(x - side / 2, y - side / 2) < radius
    return inside


def cut_out(dtype: Any = np.uint8) -> NDArray[Any]:
    """An orange disc on transparent black."""
    top = np.iinfo(dtype).max
    pixels = np.zeros((65, 65, 4), dtype)
    pixels[disc(65, 20)] = (top, top // 2, top // 4, top)
    return pixels


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([2, 4]),
    st.sampled_from([8, 16]),
    st.integers(0, 9),
)
def test_visible_pixels_and_alpha_are_untouched(
    height: int, width: int, channels: int, bits: int, seed: int
) -> None:
    pixels = noise(height, width, channels, bits, seed)
    pixels[:, :, -1] *= noise(height, width, 1, 8, seed + 1)[:, :, 0] > 100
    before = pixels.copy()
    bled = bleed_colour(pixels)
    visible = pixels[:, :, -1] > 0
    np.testing.assert_array_equal(pixels, before)
    np.testing.assert_array_equal(bled[visible], pixels[visible])
    np.testing.assert_array_equal(bled[:, :, -1], pixels[:, :, -1])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_hidden_pixels_take_the_colour_of_what_surrounds_them(dtype: Any) -> None:
    pixels = cut_out(dtype)
    bled = bleed_colour(pixels)
    colour = pixels[32, 32, :3].astype(int)
    assert np.abs(bled[:, :, :3].astype(int) - colour).max() <= 1


def test_each_side_takes_its_own_colour() -> None:
    pixels = np.zeros((40, 200, 4), np.uint8)
    pixels[:, :40] = (250, 10, 10, 255)
    pixels[:, -40:] = (10, 10, 250, 255)
    bled = bleed_colour(pixels)
    assert (np.abs(bled[:, 40:44, :3].astype(int) - (250, 10, 10)) <= 1).all()
    assert (np.abs(bled[:, 156:160, :3].astype(int) - (10, 10, 250)) <= 1).all()


def test_no_dark_fringe_is_left_where_edges_are_mixed() -> None:
    """What an upscaler does at an edge: it averages colours there. Bled colours average to themselves."""
    for pixels, is_dark in ((cut_out(), True), (bleed_colour(cut_out()), False)):
        red = pixels[:, :, 0].astype(float)
        softened = (red[:-1, :-1] + red[1:, :-1] + red[:-1, 1:] + red[1:, 1:]) / 4
        near = disc(65, 22)[:-1, :-1]
        assert (softened[near].min() < 200) == is_dark


def test_faint_pixels_lend_less_colour_than_solid_ones() -> None:
    pixels = np.zeros((2, 4, 4), np.uint8)
    pixels[0, 0] = (200, 0, 0, 255)
    pixels[1, 0] = (0, 200, 0, 3)
    bled = bleed_colour(pixels)
    assert bled[0, 1, 0] > 190
    assert bled[0, 1, 1] < 10


def test_bands_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = photo(101, 77, 4)
    pixels[:, :, 3] *= noise(101, 77, 1)[:, :, 0] > 200
    whole = bleed_colour(pixels)
    monkeypatch.setattr("pixelmend.imaging.alpha._BAND_ROWS", 8)
    np.testing.assert_array_equal(bleed_colour(pixels), whole)


def test_nothing_is_copied_where_nothing_or_everything_is_hidden() -> None:
    opaque = photo(10, 10, 4)
    opaque[:, :, 3] = 255
    empty = np.zeros((10, 10, 4), np.uint8)
    assert bleed_colour(opaque) is opaque
    assert bleed_colour(empty) is empty


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_solid_alpha_becomes_exact_and_edges_stay(dtype: Any) -> None:
    top = np.iinfo(dtype).max
    source = np.zeros((12, 12), dtype)
    source[:, 6:] = top
    source[3, 10] = top // 2
    upscaled = np.full((24, 24), top // 3, dtype)
    snap_alpha(source, upscaled, 2)
    assert (upscaled[:, :10] == 0).all()  # the 3x3 surroundings of columns 0 to 4 are transparent
    assert (upscaled[:, 10:14] == top // 3).all()
    assert (upscaled[10:, 14:] == top).all()
    assert (upscaled[4:10, 18:24] == top // 3).all()  # around the half-transparent pixel
