"""Stitching, held against the image itself: a network that repeats pixels must give back exactly that."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pixelmend.core.errors import InvalidParameter
from pixelmend.core.geometry import Size
from pixelmend.imaging.canvas import Canvas
from pixelmend.imaging.tiling import Tile, TilePlan, plan_tiles
from tests.imaging.samples import noise


def repeated(pixels: NDArray[Any], scale: int) -> NDArray[Any]:
    return pixels.repeat(scale, axis=0).repeat(scale, axis=1)


def stitched(plan: TilePlan, pixels: NDArray[Any], scale: int) -> tuple[NDArray[Any], list[int]]:
    """`pixels` through all tiles of `plan` and a network that repeats; and the heights of the pieces."""
    rows: list[NDArray[Any]] = []
    canvas = Canvas(plan, scale, pixels.shape[2], pixels.dtype, rows.append)
    padding = (plan.padded.height - plan.size.height, plan.padded.width - plan.size.width)
    padded = np.pad(pixels, ((0, padding[0]), (0, padding[1]), (0, 0)), mode="edge")
    for tile in plan:
        canvas.put(tile, repeated(padded[tile.window.as_slices()], scale))
    return np.concatenate(rows), [len(part) for part in rows]


@settings(max_examples=120, deadline=None)
@given(
    width=st.integers(1, 200),
    height=st.integers(1, 200),
    tile=st.integers(32, 96),
    overlap=st.integers(0, 24),
    share=st.floats(0, 1),
    multiple=st.sampled_from([1, 2, 8]),
    scale=st.sampled_from([1, 2, 3]),
    channels=st.sampled_from([1, 2, 3, 4]),
    bits=st.sampled_from([8, 16]),
)
def test_any_plan_gives_back_the_exact_image(
    width: int,
    height: int,
    tile: int,
    overlap: int,
    share: float,
    multiple: int,
    scale: int,
    channels: int,
    bits: int,
) -> None:
    try:
        plan = plan_tiles(
            Size(width, height),
            tile_px=tile,
            overlap_px=overlap,
            multiple_of=multiple,
            blend_px=int(overlap * share),
        )
    except InvalidParameter:
        assume(False)
    pixels = noise(height, width, channels, bits)
    result, _ = stitched(plan, pixels, scale)
    assert result.dtype == pixels.dtype
    # Equal values mixed by weights that sum to one are the values again.
    np.testing.assert_array_equal(result, repeated(pixels, scale))


def test_a_blend_runs_evenly_from_one_tile_to_the_next() -> None:
    plan = plan_tiles(Size(80, 10), tile_px=48, overlap_px=8, blend_px=8)
    rows: list[NDArray[Any]] = []
    canvas = Canvas(plan, 1, 1, np.dtype(np.uint8), rows.append)
    for tile in plan:
        canvas.put(tile, np.full((10, 48, 1), 200 * tile.index, np.uint8))
    line = np.concatenate(rows)[0, :, 0].astype(int)
    assert (line[:32] == 0).all()
    assert (line[48:] == 200).all()
    np.testing.assert_allclose(line[32:48], 200 * (np.arange(16) + 0.5) / 16, atol=0.51)


def test_finished_rows_are_handed_over_after_every_row_of_tiles() -> None:
    plan = plan_tiles(Size(50, 150), tile_px=64, overlap_px=8)
    _, heights = stitched(plan, noise(150, 50, 3), 2)
    assert heights == [2 * row.core.length for row in plan.rows]
    assert len(heights) > 2


def test_a_tile_out_of_order_is_a_value_error() -> None:
    plan = plan_tiles(Size(100, 100), tile_px=64, overlap_px=8)
    canvas = Canvas(plan, 1, 3, np.dtype(np.uint8), lambda rows: None)
    pixels = np.zeros((plan.tile.height, plan.tile.width, 3), np.uint8)
    canvas.put(plan[0], pixels)
    for wrong in (0, 2):
        with pytest.raises(ValueError, match=f"tile {wrong} arrived when 1 was due"):
            canvas.put(plan[wrong], pixels)
    canvas.put(plan[1], pixels)


def test_a_tile_after_the_last_is_a_value_error() -> None:
    plan = plan_tiles(Size(10, 10), tile_px=64, overlap_px=8)
    canvas = Canvas(plan, 1, 3, np.dtype(np.uint8), lambda rows: None)
    only: Tile = plan[0]
    canvas.put(only, np.zeros((10, 10, 3), np.uint8))
    with pytest.raises(ValueError):
        canvas.put(only, np.zeros((10, 10, 3), np.uint8))
