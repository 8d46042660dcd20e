"""The size of a call is reduced at once and raised again after many that succeed."""

from pixelmend.engine.model_cache.call_size import GROW_AFTER_CALLS, SMALLEST_CALL_PX, CallSizeLimiter

PX = SMALLEST_CALL_PX


def test_nothing_limits_before_something_failed() -> None:
    limit = CallSizeLimiter()
    assert limit.count(8, 10 * PX) == 8
    assert limit.tile_edge(2000) == 2000


def test_what_failed_is_not_tried_again_until_enough_has_succeeded() -> None:
    remembered: list[int | None] = []
    limit = CallSizeLimiter(remember=remembered.append)
    limit.shrink(8 * PX, 4 * PX)
    assert limit.count(8, PX) == 4
    for _ in range(GROW_AFTER_CALLS - 1):
        limit.succeeded(4 * PX)
    limit.succeeded(PX)  # says nothing about the limit
    assert limit.count(8, PX) == 4
    limit.succeeded(4 * PX)
    assert limit.count(8, PX) == 8
    for _ in range(GROW_AFTER_CALLS):
        limit.succeeded(8 * PX)
    assert limit.count(100, PX) == 100
    assert remembered == [4 * PX, 8 * PX, None]


def test_a_growth_that_fails_makes_it_wait_longer() -> None:
    limit = CallSizeLimiter()
    limit.shrink(8 * PX, 4 * PX)
    for _ in range(GROW_AFTER_CALLS):
        limit.succeeded(4 * PX)
    limit.shrink(8 * PX, 4 * PX)
    for _ in range(2 * GROW_AFTER_CALLS - 1):
        limit.succeeded(4 * PX)
    assert limit.count(8, PX) == 4
    limit.succeeded(4 * PX)
    assert limit.count(8, PX) == 8


def test_it_does_not_grow_beyond_what_the_memory_bears() -> None:
    room_px = 5 * PX
    limit = CallSizeLimiter(4 * PX, afford=lambda px: min(px, room_px))
    for _ in range(2 * GROW_AFTER_CALLS):
        limit.succeeded(4 * PX)
    assert limit.cap_px == 4 * PX
    room_px = 9 * PX
    limit.succeeded(4 * PX)
    assert limit.cap_px == 8 * PX


def test_the_smallest_tile_is_always_worth_a_try() -> None:
    limit = CallSizeLimiter(1, afford=lambda px: 0)
    assert limit.count(3, PX) == 1
    assert limit.count(3, 4 * PX) == 0
    assert limit.tile_edge(500) == 64
