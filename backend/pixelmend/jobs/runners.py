"""Who does which kind of work: single images go to the scheduler, batches to `Batches`."""

from pathlib import Path

from pixelmend.core.errors import PixelmendError
from pixelmend.jobs.batches import Batches
from pixelmend.jobs.model import BatchJob, BatchTask, Job, JobRecord, Work
from pixelmend.jobs.scheduler import Scheduler
from pixelmend.jobs.spool import ARCHIVE_SUFFIX, Spool
from pixelmend.jobs.submission import Submission
from pixelmend.tasks.image import ImageTask
from pixelmend.tasks.registry import TaskRegistry

PACKING_TIMEOUT_S = 2.0
"""For archives to be closed at shutdown, after the last image."""


class Runners:
    """All methods belong to one event loop."""

    def __init__(self, scheduler: Scheduler, batches: Batches, spool: Spool, tasks: TaskRegistry) -> None:
        self._tasks = tasks
        self._scheduler = scheduler
        self._batches = batches
        self._spool = spool

    def require_room(self, submission: Submission) -> None:
        """Raises what `begin` would: Draining, NoWorker, QueueFull, InputQuarantined."""
        if isinstance(submission.task, BatchTask):
            self._scheduler.require_open(submission.owner)
            self._batches.require_room(submission.owner)
        else:
            self._scheduler.require_room(submission.pixels, submission.digest, submission.owner)

    def begin(self, record: JobRecord, task: ImageTask | BatchTask) -> Work:
        if isinstance(task, BatchTask):
            return self._batches.submit(record, task)
        return self._scheduler.submit(
            task,
            pixels=record.pixels,
            digest=record.digest,
            request_id=record.request_id,
            owner=record.owner,
        )

    def resume(self, record: JobRecord, input_path: Path) -> Work:
        """Begin again what an earlier run of the service had accepted; limits do not count.

        Raises InvalidParameter for a task that there is no longer.
        """
        options, kind = record.options, self._tasks.kind(record.task)
        steps = kind.task.steps(options)
        if record.items:
            output = self._spool.output_path(record.id, ARCHIVE_SUFFIX)
            batch = BatchTask(record.id, input_path, output, options, steps, record.items)
            return self._batches.submit(record, batch, durable=True)
        output = self._spool.output_path(record.id, options.format.suffix)
        return self._scheduler.submit(
            ImageTask(
                record.id,
                input_path,
                output,
                options,
                steps,
                self._spool.mask_path(record.id) if kind.task.takes_mask else None,
            ),
            pixels=record.pixels,
            digest=record.digest,
            request_id=record.request_id,
            owner=record.owner,
            durable=True,
            admitted_before=True,
        )

    def cancel(self, job: Work, reason: PixelmendError | None) -> None:
        if isinstance(job, BatchJob):
            self._batches.cancel(job, reason)
        elif isinstance(job, Job):
            self._scheduler.cancel(job, reason)

    def outlook(self, job: Work) -> tuple[int | None, float | None]:
        """Its place in the queue, from 1, and the seconds until its end, as far as they are known."""
        if isinstance(job, BatchJob):
            return self._batches.place(job), self._batches.eta_s(job)
        assert isinstance(job, Job)
        return self._scheduler.place(job), self._scheduler.eta_s(job)

    def begin_draining(self) -> None:
        # Batches first, since what is put aside there leaves the queue.
        self._batches.begin_draining()
        self._scheduler.begin_draining()

    async def drain(self, timeout_s: float) -> None:
        """Wait for accepted work to end; after `timeout_s` the rest is told that the service goes."""
        await self._scheduler.drain(timeout_s)
        await self._batches.drain(PACKING_TIMEOUT_S)
