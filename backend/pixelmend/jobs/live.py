"""A job of this run of the service: what it was asked for, and what its watchers have to be told."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pixelmend.jobs.model import ENDED, BatchItem, BatchJob, JobRecord, JobState, Work


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """A job as clients see it at one moment. `state` may be ahead of the record's.

    fraction: from 0 to 1. place: in the queue, from 1. eta_s: measured, so None until there was something to
    measure. items: of a batch.
    """

    record: JobRecord
    state: JobState
    done_tiles: int = 0
    total_tiles: int = 0
    fraction: float = 0.0
    place: int | None = None
    eta_s: float | None = None
    items: tuple[BatchItem, ...] = ()


def snapshot_of(record: JobRecord) -> JobSnapshot:
    """Of a job that is not live: it has ended, or waits for the next start."""
    overdue = record.expires_s is not None and record.expires_s <= time.time()
    state = JobState.EXPIRED if record.state is JobState.DONE and overdue else record.state
    reports = [record.report, *(item.report for item in record.items)]
    tiles = sum(report.tiles for report in reports if report is not None)
    ended_well = record.state in (JobState.DONE, JobState.EXPIRED)
    return JobSnapshot(record, state, tiles, tiles, 1.0 if ended_well else 0.0, items=record.items)


@dataclass(eq=False)
class LiveJob:
    """Belongs to the desk. `settled`: its end is recorded, or it was put aside for the next start.

    revision grows with every change; state_changes has the revision of each new state, item_changes that of
    each new state of a batch's item, with the item's number.
    """

    record: JobRecord
    job: Work
    idempotency_keys: list[str] = field(default_factory=list)
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    revision: int = 1
    state_changes: list[tuple[int, JobSnapshot]] = field(default_factory=list)
    item_changes: list[tuple[int, int, BatchItem]] = field(default_factory=list)
    _item_states: list[JobState] = field(default_factory=list)
    _watchers: set[asyncio.Event] = field(default_factory=set)

    @property
    def state(self) -> JobState:
        """As clients see it: ended only once that is recorded, so that it never goes back."""
        if self.record.state in ENDED:
            return self.record.state
        # A lost worker puts its jobs back into the queue, which is nobody's business but ours.
        waits = self.job.state is JobState.QUEUED and not self.job.attempts
        return JobState.QUEUED if waits else JobState.RUNNING

    @property
    def joinable(self) -> bool:
        """Somebody who asks for the same can have this one."""
        return not self.job.parked and self.job.state not in (JobState.FAILED, JobState.CANCELLED)

    def changed(self, snapshot: Callable[[], JobSnapshot]) -> None:
        """snapshot: taken only if the state is a new one; much else changes far more often."""
        self.revision += 1
        if not self.state_changes or self.state_changes[-1][1].state is not self.state:
            self.state_changes.append((self.revision, snapshot()))
        if isinstance(self.job, BatchJob):
            self._note_items(self.job.items)
        self.wake()

    def _note_items(self, items: list[BatchItem]) -> None:
        # An item waits until it is heard of.
        known = self._item_states or [JobState.QUEUED] * len(items)
        changed = [n for n, item in enumerate(items) if item.state is not known[n]]
        self.item_changes += [(self.revision, n, items[n]) for n in changed]
        self._item_states = [item.state for item in items]

    def wake(self) -> None:
        for watcher in self._watchers:
            watcher.set()

    @contextmanager
    def watched(self) -> Iterator[asyncio.Event]:
        """An event that is set at every change, for as long as the context lasts."""
        watcher = asyncio.Event()
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)
