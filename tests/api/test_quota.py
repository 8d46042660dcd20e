"""Quotas, with a clock that the test sets."""

import time

import pytest

from pixelmend.api.quota import Quota
from pixelmend.core.errors import InvalidParameter, QuotaExceeded


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_window_moves() -> None:
    clock = Clock()
    quota = Quota("quota_per_key", "3/minute;4/hour", clock)
    for _ in range(3):
        quota.charge("alice")
        clock.now_s += 10
    with pytest.raises(QuotaExceeded, match="quota_per_key=3 per 1 minute is used up") as refused:
        quota.charge("alice")
    assert refused.value.retry_after_s == 30
    quota.charge("bob", 3)
    clock.now_s += 30
    with pytest.raises(QuotaExceeded, match="has 1 left for 2 images"):
        quota.charge("alice", 2)
    quota.charge("alice")
    clock.now_s += 120
    with pytest.raises(QuotaExceeded, match="4 per 1 hour is used up"):
        quota.require("alice")
    clock.now_s += 3600
    quota.charge("alice", 3)


def test_clock_of_the_machine_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set 25 hours forwards by mistake, and back again."""
    quota = Quota("quota_per_key", "1/hour")
    wall_s = time.time()
    monkeypatch.setattr(time, "time", lambda: wall_s + 25 * 3600)
    quota.charge("alice")
    monkeypatch.setattr(time, "time", lambda: wall_s)
    with pytest.raises(QuotaExceeded) as refused:
        quota.charge("alice")
    assert refused.value.retry_after_s is not None
    assert refused.value.retry_after_s <= 3600


def test_callers_that_ceased_are_forgotten() -> None:
    clock = Clock()
    quota = Quota("quota_per_address", "1/second", clock)
    for n in range(5000):
        quota.charge(f"caller {n}")
        clock.now_s += 0.01
    assert len(quota._charged) <= 1100


def test_no_rule_and_no_sense() -> None:
    Quota("quota_per_key", " ").charge("alice", 10**9)
    with pytest.raises(InvalidParameter, match="quota_per_key='often' is no quota"):
        Quota("quota_per_key", "often")
