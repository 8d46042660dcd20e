"""Runs batches: submits their images as jobs of their own, a few at a time, and packs what they become."""

import asyncio
import sys
from weakref import WeakValueDictionary

from pixelmend.core.config import Settings
from pixelmend.core.errors import Cancelled, Draining, PixelmendError
from pixelmend.core.telemetry import Logger
from pixelmend.imaging.formats import FormatRegistry
from pixelmend.jobs.batch_run import BatchContext, BatchRun, JobSubmitter, Manifest
from pixelmend.jobs.model import BatchTask, Job, JobEvent, JobState
from pixelmend.jobs.retention import Retention
from pixelmend.jobs.runner import stopped
from pixelmend.jobs.scheduler import Scheduler
from pixelmend.jobs.shares import Shares
from pixelmend.jobs.spool import Spool

PACKING_TIMEOUT_S = 2.0
"""For archives to be closed at shutdown, after the last image."""


class BatchRunner:
    """All methods belong to one event loop. All batches of an owner together take no more places of the queue
    than the worker holds jobs, in turns, so that others are hardly held up; an image that the queue has no
    room for waits.
    """

    def __init__(
        self,
        settings: Settings,
        spool: Spool,
        formats: FormatRegistry,
        retention: Retention,
        scheduler: Scheduler,
        submitter: JobSubmitter,
        manifest: Manifest,
        log: Logger,
    ) -> None:
        self._context = BatchContext(
            settings, spool, formats, retention, submitter, self._slots_of, manifest, log
        )
        self._slots: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._shares = Shares(settings.max_queue_jobs, sys.maxsize)
        self._scheduler = scheduler
        self._active: dict[str, Job] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._draining = False

    def require_room(self, job: Job) -> None:
        """Raises what `submit` would: Draining, NoWorker, QueueFull."""
        self._scheduler.require_open(job.owner)
        if self._draining:
            raise Draining("the service finishes accepted work and takes no more")
        self._shares.require_place(job.owner)

    def submit(self, job: Job, *, admitted_before: bool = False) -> None:
        """Begin a batch, which ends whatever happens to its images.

        admitted_before: by an earlier run of the service; limits do not count.
        """
        if not admitted_before:
            self.require_room(job)
        self._active[job.id] = job
        self._shares.add(job)
        self._tasks[job.id] = asyncio.create_task(self._see_through(job), name=f"batch {job.id}")

    def cancel(self, job: Job, reason: PixelmendError | None = None) -> None:
        """End a batch early; `ended` is set once what it took is free."""
        if not job.is_over:
            job.transition(JobEvent.CANCEL, reason or Cancelled(f"job {job.id} was cancelled"))
            self._tasks[job.id].cancel()

    def queue_position(self, job: Job) -> int | None:
        """Among the batches that wait, from 1; None if it does not wait."""
        waiting = [other for other in self._active.values() if other.state is JobState.QUEUED]
        return waiting.index(job) + 1 if job in waiting else None

    def eta_s(self, job: Job) -> float | None:
        """Seconds until its end, from what was measured; None before anything was."""
        # The children are in the queue, which counts them itself.
        to_come = [
            item.pixels
            for n, item in enumerate(job.items)
            if item.state is JobState.QUEUED and n not in job.children
        ]
        return self._scheduler.forecast_s(sum(to_come))

    def begin_draining(self) -> None:
        """Refuse new batches, and suspend what the next start of the service will take up."""
        self._draining = True
        for job in list(self._active.values()):
            if job.record.is_async and not job.waiters:
                self._suspend(job)

    async def drain(self, timeout_s: float = PACKING_TIMEOUT_S) -> None:
        """Wait for the rest to end: their images have ended, or were told that the service stops."""
        self.begin_draining()
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()), timeout=timeout_s)
        for job in list(self._active.values()):
            if job.record.is_async:
                self._suspend(job)
            else:
                self.cancel(job, stopped(job))
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()), timeout=timeout_s)

    def _slots_of(self, owner: str) -> asyncio.Semaphore:
        slots = self._slots.get(owner)
        if slots is None:
            slots = self._slots[owner] = asyncio.Semaphore(self._context.settings.worker_jobs)
        return slots

    def _suspend(self, job: Job) -> None:
        if not job.is_over:
            job.transition(JobEvent.SUSPEND, stopped(job))
            self._tasks[job.id].cancel()

    async def _see_through(self, job: Job) -> None:
        assert isinstance(job.task, BatchTask), "only batches come here"
        await BatchRun(self._context, job, job.task).run()
        failed = sum(item.state is not JobState.DONE for item in job.items)
        self._context.log.info(
            "batch ended", job=job.id, state=job.state, items=len(job.items), failed=failed
        )
        del self._active[job.id], self._tasks[job.id]
        self._shares.remove(job)
        job.end()
