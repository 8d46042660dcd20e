"""A job as the service sees it: what was asked, how far it is, how it ended."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from pixelmend.errors import PixelmendError
from pixelmend.tasks import UpscaleReport, UpscaleTask


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED})


@dataclass(eq=False)
class Job:
    """Belongs to the scheduler; others read it. `pixels` is the size of the expected result.

    crashes: workers lost while this job was in them.
    """

    task: UpscaleTask
    pixels: int
    digest: str
    request_id: str | None
    state: JobState = JobState.QUEUED
    done_tiles: int = 0
    total_tiles: int = 0
    crashes: int = 0
    report: UpscaleReport | None = None
    error: PixelmendError | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    listeners: list[Callable[["Job"], None]] = field(default_factory=list)
    """Called on the event loop at every change."""

    @property
    def id(self) -> str:
        return self.task.id
