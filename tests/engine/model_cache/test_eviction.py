"""Which models are evicted: arithmetic that holds with any numbers."""

from hypothesis import given
from hypothesis import strategies as st

from pixelmend.engine.devices.memory import MemoryReading
from pixelmend.engine.model_cache.eviction import (
    Candidate,
    MemoryLimits,
    plan_cleanup,
    plan_eviction,
    plan_idle,
    room_bytes,
    used_bytes,
)

CANDIDATES = st.lists(
    st.builds(
        Candidate,
        key=st.integers(),
        bytes=st.integers(0, 1000),
        last_used_s=st.floats(0, 100),
        free=st.booleans(),
        rank=st.none() | st.integers(-3, 3),
    ),
    unique_by=lambda c: c.key,
)


def order(candidate: Candidate[int]) -> tuple[bool, int, float]:
    return candidate.rank is not None, candidate.rank or 0, candidate.last_used_s


@given(CANDIDATES, st.integers(-100, 5000))
def test_a_plan_takes_free_models_only_frees_enough_and_none_too_many(
    candidates: list[Candidate[int]], needed: int
) -> None:
    plan = plan_eviction(candidates, needed)
    free = {c.key: c for c in candidates if c.free}
    if plan is None:
        assert sum(c.bytes for c in free.values()) < needed
        return
    chosen = [free[key] for key in plan]
    assert sum(c.bytes for c in chosen) >= needed
    assert not chosen or sum(c.bytes for c in chosen[:-1]) < needed
    # What stays is worth more than what goes: wanted by a profile, a higher one, or used later.
    stay = [c for c in free.values() if c not in chosen]
    assert all(order(c) <= order(s) for c in chosen for s in stay)


@given(CANDIDATES, st.integers(0, 5000))
def test_clean_up_goes_as_far_as_it_can(candidates: list[Candidate[int]], excess: int) -> None:
    chosen = plan_cleanup(candidates, excess)
    whole = plan_eviction(candidates, excess)
    assert chosen == (whole if whole is not None else plan_cleanup(candidates, 10**9))


@given(CANDIDATES, st.floats(0, 200))
def test_only_what_nobody_wants_is_idle(candidates: list[Candidate[int]], now_s: float) -> None:
    idle = set(plan_idle(candidates, now_s, 50))
    for c in candidates:
        assert (c.key in idle) == (c.free and c.rank is None and now_s - c.last_used_s >= 50)


def test_what_is_reserved_counts_as_used_until_it_is_taken() -> None:
    assert used_bytes(MemoryReading(1000, 700, 100), 250) == 300 + 150
    assert used_bytes(MemoryReading(1000, 550, 250), 250) == 450


def test_room_is_what_the_ceiling_leaves_of_a_device_and_what_is_free_of_shared_memory() -> None:
    limits = MemoryLimits(ceiling_percent=80)
    reading = MemoryReading(1000, 150, 50)  # others have 800
    assert room_bytes(reading, 50, limits, shared=False) == -50
    assert room_bytes(reading, 50, limits, shared=True) == 150
    assert room_bytes(MemoryReading(1000, 990, 0), 700, limits, shared=True) == 100
