"""A job as the service sees it: what was asked, how far it is, how it ended."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from pixelmend.errors import PixelmendError
from pixelmend.tasks import UpscaleOptions, UpscaleReport, UpscaleTask


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    """It was done, and its result is kept no longer."""


ENDED = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.EXPIRED})


@dataclass(eq=False)
class Job:
    """Belongs to the scheduler; others read it. `pixels` is the size of the expected result.

    crashes: workers lost while this job was in them.
    waiters: requests that wait for its end.
    durable: the next start of the service takes it up, so a shutdown need not finish it.
    parked: it has left the scheduler unfinished because the service shuts down; `ended` is set all the same.
    tiles_started_s: `time.monotonic()` of the first tile's start.
    """

    task: UpscaleTask
    pixels: int
    digest: str
    request_id: str | None
    state: JobState = JobState.QUEUED
    done_tiles: int = 0
    total_tiles: int = 0
    crashes: int = 0
    waiters: int = 0
    durable: bool = False
    parked: bool = False
    tiles_started_s: float | None = None
    report: UpscaleReport | None = None
    error: PixelmendError | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    listeners: list[Callable[["Job"], None]] = field(default_factory=list)
    """Called on the event loop at every change."""

    @property
    def id(self) -> str:
        return self.task.id


@dataclass(frozen=True, slots=True)
class StoredResult:
    """A finished file in the spool. `name` is relative to it; `sha256` is of the file's bytes."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class JobRecord:
    """What outlives the process. Times are seconds since 1970.

    content_key: the same for the same bytes with the same options of the same owner.
    asked: it was asked for as a job; otherwise its requests are all that wanted it.
    starts: how often it was given to a worker by a service that then died.
    error_code, error_message: of a failed or cancelled job.
    """

    id: str
    task: str
    owner: str
    content_key: str
    digest: str
    options: UpscaleOptions
    pixels: int
    created_s: float
    asked: bool
    file_name: str | None = None
    request_id: str | None = None
    state: JobState = JobState.QUEUED
    starts: int = 0
    ended_s: float | None = None
    expires_s: float | None = None
    error_code: str | None = None
    error_message: str | None = None
    report: UpscaleReport | None = None
    result: StoredResult | None = None
