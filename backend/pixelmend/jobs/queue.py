"""Jobs that wait, in the order in which they should start. All it does is quick with thousands of them."""

import heapq
import itertools
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from pixelmend.jobs.model import Job

_Key = tuple[int, int]
"""The job's turn, then the order of arrival."""


@dataclass(slots=True)
class _Lane:
    """Jobs of one size class, sorted by their keys; the three lists go together."""

    keys: list[_Key] = field(default_factory=list)
    pixels: list[int] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)


class JobQueue:
    """Owners take turns: the n-th job that one has waiting starts before another's (n+1)-th, however many the
    other has. Within a turn, and with one owner, it is first come, first served.
    """

    def __init__(self) -> None:
        self._lanes: dict[int, _Lane] = {}
        self._keys: dict[str, _Key] = {}
        self._numbers = itertools.count()
        self._returns = itertools.count(-1, -1)
        self._turn = 0
        """The turn of the job that was taken last."""
        self._next_turn: dict[str, int] = {}
        """The next turn of each owner that has jobs waiting."""
        self._waiting: Counter[str] = Counter()
        self.pixels = 0
        """Result pixels of all but long jobs, which others do not wait for."""

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, job: Job) -> bool:
        return job.id in self._keys

    def __iter__(self) -> Iterator[Job]:
        """In order; of a copy, so that the queue may change meanwhile."""
        pairs = [list(zip(lane.keys, lane.jobs, strict=True)) for lane in self._lanes.values()]
        return iter([job for _, job in heapq.merge(*pairs, key=lambda pair: pair[0])])

    @property
    def long_jobs(self) -> int:
        """How many long ones wait."""
        return len(self._lanes[LONG].keys) if LONG in self._lanes else 0

    def add(self, job: Job) -> None:
        turn = max(self._turn, self._next_turn.get(job.owner, 0))
        self._next_turn[job.owner] = turn + 1
        self._insert(job, (turn, next(self._numbers)))

    def put_back(self, job: Job) -> None:
        """Before all others, those that were put back earlier included."""
        self._insert(job, (-1, next(self._returns)))

    def first(self, blocked: Collection[int]) -> Job | None:
        """The next one whose size class is not among those."""
        heads = [
            (lane.keys[0], lane.jobs[0])
            for size, lane in self._lanes.items()
            if lane.jobs and size not in blocked
        ]
        return min(heads, key=lambda head: head[0])[1] if heads else None

    def take(self, job: Job) -> None:
        """It starts."""
        self._turn = max(self._turn, self._keys[job.id][0])
        self.discard(job)

    def discard(self, job: Job) -> None:
        """It does not wait any more; nothing happens if it did not."""
        key = self._keys.pop(job.id, None)
        if key is None:
            return
        lane = self._lanes[size_class(job)]
        at = bisect_left(lane.keys, key)
        del lane.keys[at], lane.pixels[at], lane.jobs[at]
        self.pixels -= 0 if job.is_long else job.pixels
        self._waiting[job.owner] -= 1
        if not self._waiting[job.owner]:
            del self._waiting[job.owner]
            self._next_turn.pop(job.owner, None)

    def position(self, job: Job) -> int | None:
        """How many are before it, plus one; None if it does not wait."""
        key = self._keys.get(job.id)
        if key is None:
            return None
        return 1 + sum(bisect_left(lane.keys, key) for lane in self._lanes.values())

    def pixels_before(self, job: Job) -> int:
        """Result pixels of those that are before it; 0 if it does not wait."""
        key = self._keys.get(job.id)
        if key is None:
            return 0
        return sum(sum(lane.pixels[: bisect_left(lane.keys, key)]) for lane in self._lanes.values())

    def _insert(self, job: Job, key: _Key) -> None:
        lane = self._lanes.setdefault(size_class(job), _Lane())
        at = bisect_left(lane.keys, key)
        lane.keys.insert(at, key)
        lane.pixels.insert(at, job.pixels)
        lane.jobs.insert(at, job)
        self._keys[job.id] = key
        self._waiting[job.owner] += 1
        self.pixels += 0 if job.is_long else job.pixels


LONG = -1
"""The class of long jobs, whatever their size."""


def size_class(job: Job) -> int:
    """Results of one class differ by less than a factor of four; all smaller classes together need a third
    of the memory that one class needs.
    """
    return LONG if job.is_long else job.pixels.bit_length() // 2
