"""Channels to network planes and back, and windows that reach past the image."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelmend.engine.planes import from_planes, planes_per_tile, read_window, to_planes
from pixelmend.imaging.geometry import Rect, Span
from tests.imaging.samples import noise


@given(
    st.integers(1, 12), st.integers(1, 12), st.integers(0, 11), st.integers(1, 30), st.sampled_from([1, 3, 4])
)
def test_a_window_continues_by_reflection_and_then_by_the_last_pixel(
    height: int, width: int, start: int, length: int, channels: int
) -> None:
    pixels = noise(height, width, channels)
    rows = Span(min(start, height - 1), min(start, height - 1) + length)
    columns = Span(0, width + 3)
    window = read_window(pixels, Rect(columns, rows))
    below, right = max(0, rows.stop - height), 3
    expected = pixels
    for axis, missing in ((0, below), (1, right)):
        mirrored = min(missing, pixels.shape[axis] - 1)
        for amount, mode in ((mirrored, "reflect"), (missing - mirrored, "edge")):
            widths = [(0, 0)] * 3
            widths[axis] = (0, amount)
            expected = np.pad(expected, widths, mode=mode)  # type: ignore[call-overload]
    np.testing.assert_array_equal(window, expected[rows.as_slice(), columns.as_slice()])


def test_a_window_inside_is_not_copied() -> None:
    pixels = noise(20, 20, 3)
    assert np.shares_memory(read_window(pixels, Rect(Span(2, 9), Span(3, 20))), pixels)


@pytest.mark.parametrize(
    ("channels", "grey"), [(1, [True]), (2, [True, True]), (3, [False]), (4, [False, True])]
)
@pytest.mark.parametrize("bits", [8, 16])
def test_planes_come_back_as_the_channels_they_were(channels: int, grey: list[bool], bits: int) -> None:
    tile = noise(6, 7, channels, bits)
    planes, is_grey = to_planes(tile)
    assert planes.shape == (len(grey), 6, 7, 3)
    assert is_grey.tolist() == grey
    assert planes_per_tile(channels) == len(grey)
    np.testing.assert_array_equal(from_planes(tile, planes, 1), tile)


def test_alpha_settles_where_its_surroundings_are_solid() -> None:
    tile: Any = noise(6, 7, 4)
    tile[:, :, 3] = 255
    planes, _ = to_planes(tile)
    planes[1] = 253
    assert (from_planes(tile, planes, 1)[:, :, 3] == 255).all()
