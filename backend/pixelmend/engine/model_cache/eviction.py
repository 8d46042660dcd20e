"""Which models go, and how much room there is: arithmetic only, so that it can be tested as such."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pixelmend.core.config import Settings
from pixelmend.engine.memory import MemoryReading

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class MemoryLimits:
    """The operator's limits. cleanup_percent is None where nothing is cleaned up; idle_s where never."""

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
    None where none does, and such models go first.
    """

    key: K
    bytes: int
    last_used_s: float
    free: bool
    rank: int | None = None


def used_bytes(reading: MemoryReading, accounted_bytes: int) -> int:
    """By everybody; what models were promised and have not taken yet counts as used."""
    return reading.used_bytes + max(0, accounted_bytes - reading.own_bytes)


def room_bytes(reading: MemoryReading, accounted_bytes: int, limits: MemoryLimits, *, shared: bool) -> int:
    """What models may have beyond `accounted_bytes`; negative where they have too much already.

    Of shared memory the ceiling is on what we use ourselves: a browser that fills four fifths of a machine
    must not keep a small model out, as long as there is memory left for it.
    """
    ceiling = limits.ceiling_bytes(reading.capacity_bytes)
    everybody = used_bytes(reading, accounted_bytes)
    if shared:
        return min(ceiling - accounted_bytes, reading.capacity_bytes - everybody)
    # Ours cannot be more than all that is used, whatever was read in between.
    return ceiling - max(everybody, accounted_bytes)


def plan_eviction(candidates: Iterable[Candidate[K]], needed_bytes: int) -> list[K] | None:
    """The models whose going frees `needed_bytes`, the least recently used first; None where none do."""
    chosen, freed = _take(candidates, needed_bytes)
    return chosen if freed >= needed_bytes else None


def plan_cleanup(candidates: Iterable[Candidate[K]], excess_bytes: int) -> list[K]:
    """As `plan_eviction`, but as far as it goes."""
    return _take(candidates, excess_bytes)[0]


def plan_idle(candidates: Iterable[Candidate[K]], now_s: float, idle_s: float) -> list[K]:
    """The models that nobody has used for so long and that no profile wants."""
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
