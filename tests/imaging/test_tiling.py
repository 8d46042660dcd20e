"""The planner, over all sizes it can meet. It touches no pixels, so there are many examples."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pixelmend.core.errors import InvalidParameter
from pixelmend.core.geometry import Size
from pixelmend.imaging.tiling import AxisTile, TilePlan, plan_cheapest, plan_tiles

sides = st.integers(1, 600)


@st.composite
def demands(draw: st.DrawFn) -> dict[str, int]:
    """Arguments of plan_tiles, usable or not."""
    overlap = draw(st.integers(0, 48))
    return {
        "tile_px": draw(st.integers(32, 256)),
        "overlap_px": overlap,
        "multiple_of": draw(st.sampled_from([1, 2, 3, 4, 8, 16])),
        "minimum_px": draw(st.sampled_from([1, 2, 16, 20, 64])),
        "blend_px": draw(st.integers(0, overlap)),
        "minimum_core_px": draw(st.sampled_from([1, 1, 30, 80])),
    }


def picky(width_px: int) -> float:
    """Kernels that like some widths, as real ones do."""
    return 0.8 if 100 <= width_px <= 120 else 1.0 if width_px % 16 == 0 else 1.1


def cheapest(size: Size, *, tile_px: int, **demand: int) -> TilePlan:
    return plan_cheapest(size, budget_px=tile_px**2, cost=picky, **demand)


Planner = Callable[..., TilePlan]
planners = st.sampled_from([plan_tiles, cheapest])


def planned(planner: Planner, size: Size, demand: dict[str, int]) -> TilePlan:
    """The plan, if there is one."""
    try:
        return planner(size, **demand)
    except InvalidParameter:
        assume(planner is cheapest)  # which always finds one
        raise


def inner_distances(tiles: tuple[AxisTile, ...]) -> list[int]:
    """How far each core stays away from the window edges that are not image edges."""
    left = [tile.core.start - tile.window.start for tile in tiles[1:]]
    right = [tile.window.stop - tile.core.stop for tile in tiles[:-1]]
    return left + right


@settings(max_examples=300, deadline=None)
@given(sides, sides, demands())
def test_any_demand_gives_a_plan_or_a_clear_refusal(width: int, height: int, demand: dict[str, int]) -> None:
    message = ""
    try:
        plan = plan_tiles(Size(width, height), **demand)
    except InvalidParameter as error:
        message = error.message
    if not message:
        assert len(plan) == len(plan.columns) * len(plan.rows) == len(list(plan))
        return
    assert message.startswith(f"tile={demand['tile_px']} px ")
    # It names the least size that works.
    needed = int(message.split()[-2])
    assert needed > demand["tile_px"]
    assert plan_tiles(Size(600, 600), **{**demand, "tile_px": needed})


@settings(max_examples=300, deadline=None)
@given(planners, sides, sides, demands())
def test_cores_partition_the_image(planner: Planner, width: int, height: int, demand: dict[str, int]) -> None:
    plan = planned(planner, Size(width, height), demand)
    for tiles, length in ((plan.columns, width), (plan.rows, height)):
        assert tiles[0].core.start == 0
        assert tiles[-1].core.stop == length
        for before, after in pairwise(tiles):
            assert before.core.stop == after.core.start


@settings(max_examples=300, deadline=None)
@given(planners, sides, sides, demands())
def test_windows_have_one_shape_that_the_network_accepts(
    planner: Planner, width: int, height: int, demand: dict[str, int]
) -> None:
    plan = planned(planner, Size(width, height), demand)
    multiple = demand["multiple_of"]
    for tiles, padded, side in (
        (plan.columns, plan.padded.width, plan.tile.width),
        (plan.rows, plan.padded.height, plan.tile.height),
    ):
        assert side % multiple == padded % multiple == 0
        assert demand["minimum_px"] <= side
        assert side <= demand["tile_px"] or planner is cheapest
        for tile in tiles:
            assert tile.window.length == side
            assert tile.window.start % multiple == 0
            assert tile.window.stop <= padded
            assert tile.window.contains(tile.core)


@settings(max_examples=300, deadline=None)
@given(sides, sides, demands())
def test_the_cheapest_plan_keeps_its_budget(width: int, height: int, demand: dict[str, int]) -> None:
    plan = cheapest(Size(width, height), **demand)
    multiple, minimum = demand["multiple_of"], demand["minimum_px"]
    core = -(-demand["minimum_core_px"] // multiple)
    least = max(-(-minimum // multiple), -(-2 * demand["overlap_px"] // multiple) + core) * multiple
    fits = plan.tile.pixels <= demand["tile_px"] ** 2
    assert fits or min(plan.tile.width, plan.tile.height) <= least


@settings(max_examples=300, deadline=None)
@given(sides, sides, demands())
def test_the_cheapest_plan_is_no_dearer_than_squares(width: int, height: int, demand: dict[str, int]) -> None:
    def cost(plan: TilePlan) -> float:
        return len(plan) * plan.tile.pixels * picky(plan.tile.width)

    square = planned(plan_tiles, Size(width, height), demand)
    assert cost(cheapest(Size(width, height), **demand)) <= cost(square)


def test_windows_take_the_width_that_kernels_like() -> None:
    plan = plan_cheapest(Size(1000, 1000), budget_px=200**2, cost=picky, overlap_px=8)
    assert 100 <= plan.tile.width <= 120
    assert plan.tile.height > 250


@settings(max_examples=300, deadline=None)
@given(planners, sides, sides, demands())
def test_cores_keep_the_overlap_to_inner_window_edges(
    planner: Planner, width: int, height: int, demand: dict[str, int]
) -> None:
    plan = planned(planner, Size(width, height), demand)
    for tiles in (plan.columns, plan.rows):
        assert min(inner_distances(tiles), default=1000) >= demand["overlap_px"]


@settings(max_examples=300, deadline=None)
@given(planners, sides, sides, demands())
def test_an_image_that_is_cut_keeps_the_least_core(
    planner: Planner, width: int, height: int, demand: dict[str, int]
) -> None:
    plan = planned(planner, Size(width, height), demand)
    for tiles, window in ((plan.columns, plan.tile.width), (plan.rows, plan.tile.height)):
        if len(tiles) > 1:
            assert window >= 2 * demand["overlap_px"] + demand["minimum_core_px"]


@settings(max_examples=300, deadline=None)
@given(planners, sides, sides, demands())
def test_blends_stay_in_their_windows_and_never_mix_three_tiles(
    planner: Planner, width: int, height: int, demand: dict[str, int]
) -> None:
    plan = planned(planner, Size(width, height), demand)
    for tiles, length in ((plan.columns, width), (plan.rows, height)):
        assert tiles[0].paste.start == 0
        assert tiles[-1].paste.stop == length
        for before, after in pairwise(tiles):
            assert before.window.contains(before.paste)
            assert after.window.contains(after.paste)
            assert before.paste.stop - before.core.stop == after.core.start - after.paste.start
        for before, after in zip(tiles[:-2], tiles[2:], strict=True):
            assert before.paste.stop <= after.paste.start


@pytest.mark.parametrize(("side", "tiles"), [(1, 1), (95, 1), (96, 1), (97, 2), (156, 2), (157, 3)])
def test_tile_count_at_the_edges(side: int, tiles: int) -> None:
    plan = plan_tiles(Size(side, 1), tile_px=96, overlap_px=18)
    assert len(plan) == tiles


def test_a_little_more_than_a_tile_does_not_cost_two_whole_tiles() -> None:
    plan = plan_tiles(Size(257, 256), tile_px=256, overlap_px=18)
    assert plan.tile == Size(147, 256)


def test_a_small_image_is_padded_to_what_the_network_accepts() -> None:
    plan = plan_tiles(Size(3, 5), tile_px=64, overlap_px=8, multiple_of=8, minimum_px=20)
    assert plan.padded == plan.tile == Size(24, 24)
    assert plan[0].core.size == Size(3, 5)


def test_a_tile_that_is_all_overlap_is_refused_by_its_value_and_limit() -> None:
    with pytest.raises(InvalidParameter, match=r"tile=36 px is too small .* at least 37 px"):
        plan_tiles(Size(500, 500), tile_px=36, overlap_px=18)


def test_a_tile_below_the_networks_minimum_is_refused() -> None:
    with pytest.raises(InvalidParameter, match=r"tile=32 px is too small .* at least 64 px"):
        plan_tiles(Size(10, 10), tile_px=32, overlap_px=0, multiple_of=8, minimum_px=60)


def test_a_tile_below_the_networks_multiple_is_refused() -> None:
    with pytest.raises(InvalidParameter, match=r"tile=40 px is too small .* at least 64 px"):
        plan_tiles(Size(100, 100), tile_px=40, overlap_px=0, multiple_of=64)


def test_a_blend_wider_than_the_overlap_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="blend_px=9 exceeds overlap_px=8"):
        plan_tiles(Size(100, 100), tile_px=64, overlap_px=8, blend_px=9)


def test_an_index_outside_the_plan_is_an_index_error() -> None:
    plan = plan_tiles(Size(10, 10), tile_px=64, overlap_px=0)
    with pytest.raises(IndexError):
        plan[1]
