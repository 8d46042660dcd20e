"""What a job is: its states, what of it outlives the process, and how it stands now."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pixelmend.core.errors import PixelmendError
from pixelmend.tasks.image import ImageReport, ImageTask
from pixelmend.tasks.options import ImageOptions


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUSPENDED = "suspended"
    """Left unfinished because the service stops. Its record stays as it was; the next start takes it up."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    """It was done, and its result is kept no longer."""


ENDED = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.EXPIRED})


class JobEvent(StrEnum):
    START = "start"
    REQUEUE = "requeue"
    """What ran it was lost: its worker, or the service itself."""
    SUSPEND = "suspend"
    FINISH = "finish"
    FAIL = "fail"
    CANCEL = "cancel"
    EXPIRE = "expire"


TRANSITIONS: Mapping[JobState, Mapping[JobEvent, JobState]] = MappingProxyType(
    {
        JobState.QUEUED: {
            JobEvent.START: JobState.RUNNING,
            JobEvent.SUSPEND: JobState.SUSPENDED,
            JobEvent.FAIL: JobState.FAILED,
            JobEvent.CANCEL: JobState.CANCELLED,
        },
        JobState.RUNNING: {
            JobEvent.REQUEUE: JobState.QUEUED,
            JobEvent.SUSPEND: JobState.SUSPENDED,
            JobEvent.FINISH: JobState.DONE,
            JobEvent.FAIL: JobState.FAILED,
            JobEvent.CANCEL: JobState.CANCELLED,
        },
        JobState.DONE: {JobEvent.EXPIRE: JobState.EXPIRED},
    }
)
"""All changes of state that there are; docs/architecture.md draws them."""


def next_state(state: JobState, event: JobEvent) -> JobState:
    """Raises ValueError, which is a bug, for an event that cannot happen in that state."""
    after = TRANSITIONS.get(state, {}).get(event)
    if after is None:
        raise ValueError(f"a job that is {state} cannot {event}")
    return after


@dataclass(frozen=True, slots=True)
class StoredResult:
    """A finished file in the spool. `name` is relative to it; `sha256` is of the file's bytes."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One image of a batch, and at the end what became of it: a result, or a problem.

    file_name: as its sender called it. output_name: in the archive. digest: sha256 of the image's bytes.
    pixels: of the expected result; 0 if the image was refused when it came. mask: where its mask lies
    below the folder of the batch; several images may have the same one.
    """

    file_name: str
    output_name: str
    digest: str
    pixels: int
    state: JobState = JobState.QUEUED
    error_code: str | None = None
    error_message: str | None = None
    report: ImageReport | None = None
    result: StoredResult | None = None
    mask: str | None = None

    def after(self, event: JobEvent, **changes: Any) -> "BatchItem":
        return replace(self, state=next_state(self.state, event), **changes)


@dataclass(frozen=True, slots=True)
class BatchTask:
    """Images for which the same is done with the same options; their results go into one archive.

    input_path: the folder with the images, named by their numbers. steps: for each of them.
    fresh: earlier results will not do.
    """

    id: str
    input_path: Path
    output_path: Path
    options: ImageOptions
    steps: tuple[str, ...]
    items: tuple[BatchItem, ...]
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class JobRecord:
    """What outlives the process, and what clients see of the state: an end counts once it is recorded.

    Times are seconds since 1970. task: the name of the job's kind.
    content_key: the same for the same bytes with the same options of the same owner.
    is_async: a client asked for it as a job and comes back for it; otherwise its requests are all that
    wanted it. attempts: how often a service began it; more than one means that a service died with it.
    started_s: when it was last begun. traceparent: the span of the request that submitted it, if it has one.
    error_code, error_message: of a failed or cancelled job. report: of a job that is not a batch.
    items: of a batch; at first as they were submitted, then as they ended.
    """

    id: str
    task: str
    owner: str
    content_key: str
    digest: str
    options: ImageOptions
    pixels: int
    created_s: float
    is_async: bool
    file_name: str | None = None
    request_id: str | None = None
    traceparent: str | None = None
    state: JobState = JobState.QUEUED
    attempts: int = 0
    started_s: float | None = None
    ended_s: float | None = None
    expires_s: float | None = None
    error_code: str | None = None
    error_message: str | None = None
    report: ImageReport | None = None
    result: StoredResult | None = None
    items: tuple[BatchItem, ...] = ()

    def after(self, event: JobEvent, **changes: Any) -> "JobRecord":
        return replace(self, state=next_state(self.state, event), **changes)

    def after_error(
        self, event: JobEvent, error: PixelmendError, ended_s: float, **changes: Any
    ) -> "JobRecord":
        return self.after(
            event, ended_s=ended_s, error_code=error.code, error_message=error.message, **changes
        )


@dataclass(eq=False, kw_only=True)
class Job:
    """A job of this run of the service. Belongs to the event loop; `transition` alone changes its state.

    worker: the index of the one that has it, while it runs. tiles_started_s: `time.monotonic()` at the start
    of its first tile. lost_workers: while this job was in them. crashes: how many of those ended by
    themselves.
    is_long: others come before it, and it has a lane of its own. first_done_tiles: what an earlier attempt
    had done, when this one began. done_before_loss: the most that was done when a worker was lost.
    waiters: requests that wait for its end. ended: set when nothing runs it any more; settled: set when that
    is recorded, or the job is suspended.
    Of a batch: items as they are now, the children that run by their numbers, and how many bytes of the
    archive that grows at `output_path` will not change any more.
    """

    record: JobRecord
    task: ImageTask | BatchTask
    is_long: bool = False
    state: JobState = JobState.QUEUED
    error: PixelmendError | None = None
    report: ImageReport | None = None
    done_tiles: int = 0
    total_tiles: int = 0
    first_done_tiles: int = 0
    done_before_loss: int = 0
    worker: int = 0
    tiles_started_s: float | None = None
    lost_workers: int = 0
    crashes: int = 0
    waiters: int = 0
    idempotency_keys: list[str] = field(default_factory=list)
    items: list[BatchItem] = field(default_factory=list)
    children: dict[int, "Job"] = field(default_factory=dict)
    final_bytes: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    _observers: list[Callable[[], None]] = field(default_factory=list)

    @classmethod
    def of(cls, record: JobRecord, task: ImageTask | BatchTask, *, is_long: bool = False) -> "Job":
        items = list(task.items) if isinstance(task, BatchTask) else []
        return cls(record=record, task=task, is_long=is_long, items=items)

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def owner(self) -> str:
        return self.record.owner

    @property
    def pixels(self) -> int:
        """The size of the expected result, of all results of a batch."""
        return self.record.pixels

    @property
    def is_batch(self) -> bool:
        return isinstance(self.task, BatchTask)

    @property
    def is_over(self) -> bool:
        """Nothing runs it any more."""
        return self.state in ENDED or self.state is JobState.SUSPENDED

    @property
    def joinable(self) -> bool:
        """A request for the same work can have this job."""
        return self.state not in (JobState.SUSPENDED, JobState.FAILED, JobState.CANCELLED)

    @property
    def fraction(self) -> float:
        """How much of it is done, from 0 to 1; of a batch by the pixels of the results."""
        if not self.is_batch:
            return self.done_tiles / self.total_tiles if self.total_tiles else 0.0
        done = sum(item.pixels for item in self.items if item.state in ENDED)
        running = sum(child.fraction * self.items[n].pixels for n, child in self.children.items())
        return min(1.0, (done + running) / self.pixels) if self.pixels else 0.0

    def transition(self, event: JobEvent, error: PixelmendError | None = None) -> None:
        """Tells the observers. Raises ValueError, which is a bug, for an event that cannot happen now."""
        self.state = next_state(self.state, event)
        self.error = error
        if event is JobEvent.START and self.record.state is JobState.QUEUED:
            # A lost worker puts it back into the queue later, which is no client's business.
            attempts = self.record.attempts + 1
            self.record = self.record.after(event, attempts=attempts, started_s=time.time())
        if event is JobEvent.REQUEUE:
            self.done_tiles, self.total_tiles, self.tiles_started_s = 0, 0, None
        self.notify()

    def compute_on_cpu(self, because: str) -> None:
        """From its next start on."""
        assert isinstance(self.task, ImageTask), "no worker runs a batch"
        self.task = replace(self.task, on_cpu_because=because)

    def end(self) -> None:
        """Nothing runs it any more, and what it took is free."""
        self.ended.set()
        self.notify()

    def notify(self) -> None:
        """Something has changed."""
        for observer in list(self._observers):
            observer()

    def observe(self, observer: Callable[[], None]) -> Callable[[], None]:
        """Call `observer` on the event loop at every change, until what is returned is called."""
        self._observers.append(observer)
        return lambda: self._observers.remove(observer)

    @contextmanager
    def watched(self) -> Iterator[asyncio.Event]:
        """An event that is set at every change, for as long as the context lasts."""
        changed = asyncio.Event()
        stop = self.observe(changed.set)
        try:
            yield changed
        finally:
            stop()
