"""A job as the service sees it: what was asked, how far it is, how it ended."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pixelmend.core.errors import PixelmendError
from pixelmend.tasks.image import ImageReport, ImageTask
from pixelmend.tasks.options import ImageOptions


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    """It was done, and its result is kept no longer."""


ENDED = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.EXPIRED})


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
    pixels: of the expected result; 0 where the image was refused when it came. mask: where its mask lies
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


@dataclass(eq=False, kw_only=True)
class Work:
    """What is done in this run of the service. Belongs to whoever runs it; others read it.

    pixels: of the expected result, of all results of a batch.
    attempts: workers lost while this job was in them. crashes: how many of them ended by themselves.
    waiters: requests that wait for its end.
    durable: the next start of the service takes it up, so a shutdown need not finish it.
    parked: it was left unfinished because the service shuts down; `ended` is set all the same.
    """

    id: str
    output_path: Path
    pixels: int
    digest: str
    request_id: str | None
    owner: str = ""
    state: JobState = JobState.QUEUED
    done_tiles: int = 0
    total_tiles: int = 0
    attempts: int = 0
    crashes: int = 0
    waiters: int = 0
    durable: bool = False
    parked: bool = False
    error: PixelmendError | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    listeners: list[Callable[["Work"], None]] = field(default_factory=list)
    """Called on the event loop at every change."""

    @property
    def fraction(self) -> float:
        """How much of it is done, from 0 to 1."""
        return self.done_tiles / self.total_tiles if self.total_tiles else 0.0

    def notify(self) -> None:
        for callback in list(self.listeners):
            callback(self)


@dataclass(eq=False, kw_only=True)
class Job(Work):
    """One image, run by the scheduler. worker: the index of the one that has it, while it runs.
    tiles_started_s: `time.monotonic()` of the first tile's start.
    """

    task: ImageTask
    worker: int = 0
    tiles_started_s: float | None = None
    report: ImageReport | None = None


@dataclass(eq=False, kw_only=True)
class BatchJob(Work):
    """Many images, run by `Batches`, which hands each in as a job of its own.

    items: as they are now. parts: the jobs of those that run. final_bytes: of the archive that grows at
    `output_path`, how many will not change any more.
    """

    task: BatchTask
    items: list[BatchItem]
    parts: dict[int, Work] = field(default_factory=dict)
    final_bytes: int = 0

    @property
    def fraction(self) -> float:
        """By the pixels of the results; an item that was refused has none."""
        done = sum(item.pixels for item in self.items if item.state in ENDED)
        running = sum(part.fraction * self.items[n].pixels for n, part in self.parts.items())
        return min(1.0, (done + running) / self.pixels) if self.pixels else 0.0


@dataclass(frozen=True, slots=True)
class JobRecord:
    """What outlives the process. Times are seconds since 1970.

    content_key: the same for the same bytes with the same options of the same owner.
    asked: it was asked for as a job; otherwise its requests are all that wanted it.
    starts: how often it was given to a worker by a service that then died.
    error_code, error_message: of a failed or cancelled job. report: of a job that is not a batch.
    """

    id: str
    task: str
    owner: str
    content_key: str
    digest: str
    options: ImageOptions
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
    report: ImageReport | None = None
    result: StoredResult | None = None
    items: tuple[BatchItem, ...] = ()
    """Of a batch; at first as they were handed in, then as they ended."""
