"""The tiles that a network gets: what is asked for, what is known to fit, and what it needs at least."""

import pytest

from pixelmend.core.errors import InvalidParameter
from pixelmend.core.geometry import Size
from pixelmend.imaging.tile_rules import TileRules
from pixelmend.models.tile_demands import deep_demands, least_tile_px

IMAGE = Size(1000, 900)


def deep(multiple_of: int = 1, largest_tile_px: int | None = None) -> TileRules:
    demands = deep_demands("ESRGAN", multiple_of)
    return TileRules(
        demands.overlap_px,
        demands.blend_px,
        multiple_of,
        minimum_core_px=demands.minimum_core_px,
        largest_tile_px=largest_tile_px,
    )


def test_an_unshuffling_network_reads_as_far_at_the_resolution_that_it_computes_at() -> None:
    assert (deep(1).overlap_px, deep(2).overlap_px) == (32, 64)
    assert least_tile_px("ESRGAN", None) == 160
    assert least_tile_px("ESRGAN", 24) == 120
    assert least_tile_px("Compact", None) == least_tile_px(None, None) == 1


@pytest.mark.parametrize("tile_px", [None, 160, 200, 1000])
@pytest.mark.parametrize(("budget_px", "largest_px"), [(64, None), (288, None), (288, 64), (288, 200)])
def test_no_bound_makes_tiles_smaller_than_the_network_needs(
    tile_px: int | None, budget_px: int, largest_px: int | None
) -> None:
    plan = deep(largest_tile_px=largest_px).plan(IMAGE, budget_px, tile_px)
    assert min(plan.tile.width, plan.tile.height) >= 160
    if tile_px is not None:
        assert max(plan.tile.width, plan.tile.height) <= max(160, min(tile_px, budget_px, largest_px or 1000))


def test_a_tile_that_is_asked_for_and_too_small_is_refused() -> None:
    with pytest.raises(InvalidParameter, match=r"tile=64 px is too small .* at least 160 px"):
        deep().plan(IMAGE, 288, 64)
    with pytest.raises(InvalidParameter, match="at least 320 px"):
        deep(2).plan(IMAGE, 288, 300)
    assert deep(2).plan(IMAGE, 288, 320).tile.width >= 320
    assert len(deep().plan(Size(40, 40), 288, 64)) == 1
