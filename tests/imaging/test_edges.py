from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pixelmend.core.geometry import Rect, Size, Span
from pixelmend.imaging.canvas import Pixels
from pixelmend.imaging.edges import MarginCropWriter, read_mirrored
from pixelmend.imaging.margin import EDGE_MARGIN_PX, with_margin
from pixelmend.imaging.tile_rules import TileRules


def picture(height: int, width: int, channels: int = 3) -> NDArray[Any]:
    return np.random.default_rng(height).integers(0, 256, (height, width, channels), np.uint8)


@given(
    st.integers(1, 12),
    st.integers(1, 12),
    st.integers(0, 20),
    st.tuples(st.integers(0, 30), st.integers(1, 30)),
    st.tuples(st.integers(0, 30), st.integers(1, 30)),
    st.sampled_from([1, 3, 4]),
)
def test_a_window_sees_the_image_and_its_mirror_images(
    height: int, width: int, margin_px: int, rows: tuple[int, int], columns: tuple[int, int], channels: int
) -> None:
    pixels = picture(height, width, channels)
    window = Rect(Span(columns[0], sum(columns)), Span(rows[0], sum(rows)))
    whole = np.pad(pixels, ((margin_px, 60), (margin_px, 60), (0, 0)), mode="symmetric")
    np.testing.assert_array_equal(read_mirrored(pixels, window, margin_px), whole[window.as_slices()])


def test_a_window_inside_is_not_copied() -> None:
    pixels = picture(20, 20)
    assert np.shares_memory(read_mirrored(pixels, Rect(Span(8, 28), Span(9, 20)), 8), pixels)


@pytest.mark.parametrize("step", [1, 7, 8, 9, 100])
def test_margin_is_cut_off_whatever_the_rows_come_in(step: int) -> None:
    pixels = picture(30, 20)
    size = with_margin(Size(20, 30))
    padded = read_mirrored(pixels, Rect(Span(0, size.width), Span(0, size.height)), EDGE_MARGIN_PX)
    got: list[Pixels] = []
    write = MarginCropWriter(got.append, Size(20, 30), EDGE_MARGIN_PX)
    for top in range(0, len(padded), step):
        write(padded[top : top + step])
    np.testing.assert_array_equal(np.concatenate(got), pixels)


def test_a_plan_without_a_margin_covers_the_image_alone() -> None:
    rules, size = TileRules(overlap_px=4), Size(50, 30)
    assert rules.plan(size, 64).size == with_margin(size)
    for tile_px in (None, 32):
        assert rules.plan(size, 64, tile_px, margin_px=0).size == size
