"""The plan of crops, over many masks. It touches no colours."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pixelmend.core.geometry import Rect, Size, Span
from pixelmend.imaging.holes import LEAST_CONTEXT_PX, MOST_CONTEXT_PX, Crop, HolePlan, plan_holes

Mask = NDArray[np.bool_]


@st.composite
def holes(draw: st.DrawFn) -> Mask:
    """Specks and boxes in an image of any shape."""
    height, width = draw(st.integers(1, 700)), draw(st.integers(1, 700))
    random = np.random.default_rng(draw(st.integers(0, 999)))
    hole = np.zeros((height, width), bool)
    for _ in range(draw(st.integers(0, 12))):
        top, left = random.integers(height), random.integers(width)
        tall, wide = random.integers(1, draw(st.sampled_from([3, 40, 400])), 2)
        hole[top : top + tall, left : left + wide] = True
    return hole


def overlap(a: Rect, b: Rect) -> bool:
    return a.x.start < b.x.stop and b.x.start < a.x.stop and a.y.start < b.y.stop and b.y.start < a.y.stop


@settings(max_examples=150, deadline=None)
@given(holes(), st.sampled_from([50, 200, 768]))
def test_each_hole_pixel_is_filled_by_one_crop(hole: Mask, largest_px: int) -> None:
    times = np.zeros(hole.shape, int)
    for crop in plan_holes(hole, largest_px=largest_px):
        times[crop.own.as_slices()] += 1
    assert (times[hole] == 1).all()
    assert times.max() <= 1


@settings(max_examples=150, deadline=None)
@given(holes(), st.sampled_from([50, 200, 768]))
def test_windows_are_inside_the_image_and_have_their_context(hole: Mask, largest_px: int) -> None:
    height, width = hole.shape
    plan = plan_holes(hole, largest_px=largest_px)
    assert plan.size == Size(width, height)
    for group in plan.groups:
        assert LEAST_CONTEXT_PX <= group.context_px <= MOST_CONTEXT_PX
        for crop in (group.bounds, *group.crops):
            expected = Rect(
                around(crop.own.x, group.context_px, width), around(crop.own.y, group.context_px, height)
            )
            assert crop.window == expected
        for crop in group.crops:
            assert group.bounds.own.contains(crop.own)
            assert max(crop.own.size.width, crop.own.size.height) <= largest_px
            assert hole[crop.own.as_slices()].any()


def around(span: Span, context_px: int, length: int) -> Span:
    return Span(max(0, span.start - context_px), min(length, span.stop + context_px))


@settings(max_examples=100, deadline=None)
@given(holes())
def test_groups_lie_apart(hole: Mask) -> None:
    owns = [group.bounds.own for group in plan_holes(hole).groups]
    assert not any(overlap(a, b) for i, a in enumerate(owns) for b in owns[:i])


def crops(plan: HolePlan) -> list[Crop]:
    return list(plan)


def test_no_hole_needs_no_crop() -> None:
    assert crops(plan_holes(np.zeros((50, 60), bool))) == []


def test_near_holes_are_filled_together_and_far_ones_are_not() -> None:
    hole = np.zeros((1000, 1000), bool)
    hole[100:110, 100:110] = hole[100:110, 130:140] = True
    hole[800, 800] = True
    near, far = crops(plan_holes(hole))
    assert near.own == Rect(Span(100, 140), Span(100, 110))
    assert far.own == Rect(Span(800, 801), Span(800, 801))
    assert far.window == Rect(Span(736, 865), Span(736, 865))


def test_a_large_hole_is_divided_evenly() -> None:
    hole = np.zeros((2000, 3000), bool)
    hole[100:1100, 200:2200] = True
    (group,) = plan_holes(hole, largest_px=768).groups
    assert group.context_px == MOST_CONTEXT_PX
    assert [crop.own.size for crop in group.crops] == [
        Size(w, 500) for _ in range(2) for w in (666, 667, 667)
    ]


@pytest.mark.parametrize("count", [1, 3000])
def test_thousands_of_specks_are_few_crops(count: int) -> None:
    hole = np.zeros((3000, 4000), bool)
    places = np.random.default_rng(0).integers(0, 3000, (count, 2))
    hole[places[:, 0], places[:, 1]] = True
    assert len(crops(plan_holes(hole))) <= min(count, 24)
