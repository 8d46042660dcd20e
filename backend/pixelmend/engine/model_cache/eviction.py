"""Which models are evicted, and how much room there is. Arithmetic only, without a device or a lock."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pixelmend.core.config import Settings
from pixelmend.engine.devices.memory import MemoryReading

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class MemoryLimits:
    """The operator's limits. cleanup_percent: None for no clean-up. idle_s: None keeps idle models open."""

    ceiling_percent: float = 90.0
    cleanup_percent: float | None = 85.0
    idle_s: float | None = 1800.0

    def ceiling_bytes(self, capacity_bytes: int) -> int:
        return int(capacity_bytes * self.ceiling_percent / 100)


def limits_from(settings: Settings) -> MemoryLimits:
    return MemoryLimits(
        settings.max_memory_usage_percent,
        settings.cleanup_threshold_percent if settings.auto_cleanup_enabled else None,
        60 * settings.idle_timeout_minutes or None,
    )


@dataclass(frozen=True, slots=True)
class Candidate(Generic[K]):
    """An open model as the planner sees it.

    free: no lease, no pin, no profile that insists on it. rank: the priority of the profile that holds it;
    None if none does, and such models are evicted first.
    """

    key: K
    bytes: int
    last_used_s: float
    free: bool
    rank: int | None = None


def used_bytes(reading: MemoryReading, accounted_bytes: int) -> int:
    """What all programs use, and what is reserved for models and not taken yet."""
    return reading.used_bytes + max(0, accounted_bytes - reading.own_bytes)


def room_bytes(reading: MemoryReading, accounted_bytes: int, limits: MemoryLimits, *, shared: bool) -> int:
    """What models may have beyond `accounted_bytes`; negative if they have too much already.

    In shared memory the ceiling limits only what we use ourselves: a browser that fills four fifths of a
    machine must not keep a small model out, as long as there is memory left for it.
    """
    ceiling = limits.ceiling_bytes(reading.capacity_bytes)
    all_used = used_bytes(reading, accounted_bytes)
    if shared:
        return min(ceiling - accounted_bytes, reading.capacity_bytes - all_used)
    # What is ours cannot be more than all that is used, even if the reading came in between.
    return ceiling - max(all_used, accounted_bytes)


def plan_eviction(candidates: Iterable[Candidate[K]], needed_bytes: int) -> list[K] | None:
    """Models that free `needed_bytes` together, the least recently used first; None if all are too few."""
    chosen, freed = _take(candidates, needed_bytes)
    return chosen if freed >= needed_bytes else None


def plan_cleanup(candidates: Iterable[Candidate[K]], excess_bytes: int) -> list[K]:
    """As `plan_eviction`, but all that there are if they are too few."""
    return _take(candidates, excess_bytes)[0]


def plan_idle(candidates: Iterable[Candidate[K]], now_s: float, idle_s: float) -> list[K]:
    """The models that were not used for `idle_s` and that no profile holds."""
    return [c.key for c in candidates if c.free and c.rank is None and now_s - c.last_used_s >= idle_s]


def _take(candidates: Iterable[Candidate[K]], bytes_wanted: int) -> tuple[list[K], int]:
    order = sorted(
        (c for c in candidates if c.free),
        key=lambda c: (c.rank is not None, c.rank or 0, c.last_used_s),
    )
    chosen: list[K] = []
    freed = 0
    for candidate in order:
        if freed >= bytes_wanted:
            break
        chosen.append(candidate.key)
        freed += candidate.bytes
    return chosen, freed
