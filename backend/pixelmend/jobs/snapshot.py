"""Jobs as clients see them: at one moment, and what has changed since another."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pixelmend.jobs.model import ENDED, BatchItem, Job, JobRecord, JobState


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """fraction: from 0 to 1. queue_position: from 1. eta_s: measured, so None until there was something to
    measure. items: of a batch.
    """

    record: JobRecord
    state: JobState
    done_tiles: int = 0
    total_tiles: int = 0
    fraction: float = 0.0
    queue_position: int | None = None
    eta_s: float | None = None
    items: tuple[BatchItem, ...] = ()


def snapshot_of(record: JobRecord) -> JobSnapshot:
    """The snapshot of a job that has ended, or that waits for the next start."""
    overdue = record.expires_s is not None and record.expires_s <= time.time()
    state = JobState.EXPIRED if record.state is JobState.DONE and overdue else record.state
    reports = [record.report, *(item.report for item in record.items)]
    tiles = sum(report.tiles for report in reports if report is not None)
    ended_well = record.state in (JobState.DONE, JobState.EXPIRED)
    return JobSnapshot(record, state, tiles, tiles, 1.0 if ended_well else 0.0, items=record.items)


def snapshot_now(job: Job, queue_position: int | None, eta_s: float | None) -> JobSnapshot:
    """The snapshot of a job of this run of the service."""
    if job.record.state in ENDED:
        return snapshot_of(job.record)
    return JobSnapshot(
        job.record,
        job.record.state,
        job.done_tiles,
        job.total_tiles,
        job.fraction,
        queue_position if job.record.state is JobState.QUEUED else None,
        eta_s,
        tuple(job.items),
    )


@dataclass(eq=False)
class History:
    """What watchers of a job have to be told, by revisions: one for each change of the job.

    states: the snapshot at each new state. items: each new state of a batch's item, with its number.
    """

    job: Job
    snapshot: Callable[[], JobSnapshot]
    revision: int = 1
    states: list[tuple[int, JobSnapshot]] = field(default_factory=list)
    items: list[tuple[int, int, BatchItem]] = field(default_factory=list)
    _item_states: list[JobState] = field(default_factory=list)

    def note(self) -> None:
        """The snapshot is taken only if the state is a new one; much else changes far more often."""
        self.revision += 1
        if not self.states or self.states[-1][1].state is not self.job.record.state:
            self.states.append((self.revision, self.snapshot()))
        # An item counts as queued until its first news.
        known = self._item_states or [JobState.QUEUED] * len(self.job.items)
        changed = [n for n, item in enumerate(self.job.items) if item.state is not known[n]]
        self.items += [(self.revision, n, self.job.items[n]) for n in changed]
        self._item_states = [item.state for item in self.job.items]

    def since(self, revision: int) -> list[tuple[int, JobSnapshot | tuple[int, BatchItem]]]:
        """What has changed after that revision, in order; within one, items before the job's state."""
        items = [(at, (n, item)) for at, n, item in self.items if at > revision]
        states = [change for change in self.states if change[0] > revision]
        return sorted([*items, *states], key=lambda change: change[0])
