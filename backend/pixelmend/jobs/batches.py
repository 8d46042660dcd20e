"""Runs batches: hands their images in as jobs of their own, a few at a time, and packs what they become."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from weakref import WeakValueDictionary

from pixelmend.core.config import Settings
from pixelmend.core.errors import (
    Cancelled,
    Draining,
    PixelmendError,
)
from pixelmend.core.telemetry import Logger
from pixelmend.jobs.batch_run import BatchContext, BatchRun, Manifest
from pixelmend.jobs.model import ENDED, BatchJob, BatchTask, JobRecord, JobState
from pixelmend.jobs.retention import Retention
from pixelmend.jobs.shares import Shares
from pixelmend.jobs.spool import Spool
from pixelmend.jobs.submission import Lease, Submission


class Batches:
    """All methods belong to one event loop. All batches of an owner together take no more places of the queue
    than the worker holds jobs, in turns, so that others are hardly held up; an image that the queue has no
    room for waits.

    hand_in: as the desk's `accept`. result_file: as the desk's. forecast_s: seconds until the end of a job
    of so many pixels.
    """

    def __init__(
        self,
        settings: Settings,
        spool: Spool,
        retention: Retention,
        *,
        hand_in: Callable[[Submission], Awaitable[Lease]],
        result_file: Callable[[JobRecord], Path | None],
        forecast_s: Callable[[int], float | None],
        manifest: Manifest,
        log: Logger,
    ) -> None:
        self._around = BatchContext(
            settings, spool, retention, self._places_of, hand_in, result_file, manifest, log
        )
        self._places: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._worker_jobs = settings.worker_jobs
        self._shares = Shares(settings.max_queue_jobs, sys.maxsize)
        self._forecast_s = forecast_s
        self._log = log
        self._active: dict[str, BatchJob] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._draining = False

    def require_room(self, owner: str = "") -> None:
        """Raises Draining, QueueFull."""
        if self._draining:
            raise Draining("the service finishes accepted work and takes no more")
        self._shares.require_place(owner)

    def submit(self, record: JobRecord, task: BatchTask, *, durable: bool = False) -> BatchJob:
        """Begin a batch, which ends whatever happens to its images."""
        job = BatchJob(
            id=task.id,
            output_path=task.output_path,
            pixels=record.pixels,
            digest=record.digest,
            request_id=record.request_id,
            owner=record.owner,
            durable=durable,
            task=task,
            items=list(task.items),
        )
        self._active[job.id] = job
        self._shares.add(job)
        self._tasks[job.id] = asyncio.create_task(self._see_through(job, record), name=f"batch {job.id}")
        return job

    def cancel(self, job: BatchJob, reason: PixelmendError | None = None) -> None:
        """End a batch early; `ended` is set once what it took is free."""
        if job.state in ENDED or job.parked:
            return
        job.state, job.error = JobState.CANCELLED, reason or Cancelled(f"job {job.id} was cancelled")
        self._tasks[job.id].cancel()

    def place(self, job: BatchJob) -> int | None:
        """Among the batches that wait, from 1; None where it does not."""
        waiting = [other for other in self._active.values() if other.state is JobState.QUEUED]
        return waiting.index(job) + 1 if job in waiting else None

    def eta_s(self, job: BatchJob) -> float | None:
        """Seconds until its end, from what was measured; None where nothing was."""
        # The parts are in the queue, which counts them itself.
        to_come = [
            item.pixels
            for n, item in enumerate(job.items)
            if item.state is JobState.QUEUED and n not in job.parts
        ]
        return self._forecast_s(sum(to_come))

    def begin_draining(self) -> None:
        """Refuse new batches, and put aside what the next start of the service will take up."""
        self._draining = True
        for job in list(self._active.values()):
            if job.durable and not job.waiters:
                self._park(job)

    async def drain(self, timeout_s: float) -> None:
        """Wait for the rest to end: their images have ended, or were told that the service goes."""
        self.begin_draining()
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()), timeout=timeout_s)
        for job in list(self._active.values()):
            if job.durable:
                self._park(job)
            else:
                self.cancel(job, Draining(f"the service stopped before job {job.id} was finished"))
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()), timeout=timeout_s)

    def _places_of(self, owner: str) -> asyncio.Semaphore:
        places = self._places.get(owner)
        if places is None:
            places = self._places[owner] = asyncio.Semaphore(self._worker_jobs)
        return places

    def _park(self, job: BatchJob) -> None:
        job.parked = True
        job.error = Draining(f"the service stopped before job {job.id} was finished")
        self._tasks[job.id].cancel()

    async def _see_through(self, job: BatchJob, record: JobRecord) -> None:
        await BatchRun(self._around, job, record).run()
        failed = sum(item.state is not JobState.DONE for item in job.items)
        self._log.info(
            "batch ended", job=job.id, state=job.state, items=len(job.items), failed=failed, parked=job.parked
        )
        del self._active[job.id], self._tasks[job.id]
        self._shares.remove(job)
        job.ended.set()
        job.notify()
