"""One batch: its images as jobs of their own, a few at a time, and the archive of what they become."""

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pixelmend.core.config import Settings
from pixelmend.core.error_codes import known_error
from pixelmend.core.errors import (
    Cancelled,
    DeadlineExceeded,
    InternalError,
    NoWorker,
    PixelmendError,
    QueueFull,
)
from pixelmend.core.telemetry import Logger
from pixelmend.core.threads import to_its_end
from pixelmend.imaging.formats import FormatRegistry
from pixelmend.jobs.archive import ResultArchive
from pixelmend.jobs.model import BatchItem, BatchTask, Job, JobEvent, JobRecord, JobState
from pixelmend.jobs.retention import Retention
from pixelmend.jobs.spool import Spool
from pixelmend.jobs.submission import Lease, Submission, versions_of
from pixelmend.models.catalog import load_catalog
from pixelmend.tasks.image import ImageReport, ImageTask
from pixelmend.tasks.task import BATCH_SUFFIX

MANIFEST_NAME = "manifest.json"
RETRY_PERIOD_S = 1.0

Manifest = Callable[[JobRecord, Sequence[BatchItem]], str]
"""The text of MANIFEST_NAME: what became of each image."""


class JobSubmitter(Protocol):
    """What a batch needs of the job service for its children."""

    async def submit(self, submission: Submission) -> Lease: ...

    def result_file(self, record: JobRecord) -> Path | None: ...


@dataclass(frozen=True, slots=True)
class BatchContext:
    """What all batches share. slots: how many children all batches of an owner may have at a time."""

    settings: Settings
    spool: Spool
    formats: FormatRegistry
    retention: Retention
    submitter: JobSubmitter
    slots: Callable[[str], asyncio.Semaphore]
    manifest: Manifest
    log: Logger


class BatchRun:
    """Runs once, on the event loop; the archive is written by a thread of its own."""

    def __init__(self, context: BatchContext, job: Job, task: BatchTask) -> None:
        self._context = context
        self._job = job
        self._task = task
        self._slots = context.slots(job.owner)
        self._packer = ThreadPoolExecutor(1, thread_name_prefix="pack")

    async def run(self) -> None:
        """Until the archive is finished, which is when the job is done, or until it is cancelled."""
        job, loop = self._job, asyncio.get_running_loop()
        archive: ResultArchive | None = None
        try:
            archive = await to_its_end(
                loop.run_in_executor(
                    self._packer, ResultArchive, self._task.output_path, job.record.created_s
                )
            )
            await self._fill(archive)
            self._note_start()
            job.transition(JobEvent.FINISH)
        except asyncio.CancelledError:
            pass
        except PixelmendError as error:
            job.transition(JobEvent.FAIL, error)
        except Exception as error:
            self._context.log.error("a bug failed the batch", job=job.id, exc_info=error)
            job.transition(JobEvent.FAIL, known_error(error))
        if archive is not None and job.state is not JobState.DONE:
            # On the thread that writes it, hence after what it is doing.
            await loop.run_in_executor(self._packer, archive.discard)
        self._packer.shutdown(wait=False)

    async def _fill(self, archive: ResultArchive) -> None:
        """In the order in which the images came; those behind the next one to be packed run ahead of it."""
        loop = asyncio.get_running_loop()
        version = await asyncio.to_thread(self._versions)
        ahead: deque[tuple[int, asyncio.Task[Lease | None]]] = deque()

        async def pack_next() -> None:
            n, work = ahead[0]
            lease = await work
            ahead.popleft()
            if lease is not None:
                try:
                    await self._pack(n, lease, archive)
                finally:
                    lease.release()
            self._job.final_bytes = archive.final_bytes
            self._job.notify()

        try:
            for n in range(len(self._job.items)):
                if len(ahead) >= 2 * self._context.settings.worker_jobs:
                    await pack_next()
                ahead.append((n, asyncio.create_task(self._process(n, version))))
            while ahead:
                await pack_next()
        finally:
            for _, work in ahead:
                work.cancel()
            for _, work in ahead:
                with contextlib.suppress(asyncio.CancelledError):
                    lease = await work
                    if lease is not None:
                        lease.release()
        text = self._context.manifest(self._job.record, self._job.items)
        await loop.run_in_executor(self._packer, archive.add_text, MANIFEST_NAME, text)
        self._job.final_bytes = await loop.run_in_executor(self._packer, archive.finish)

    async def _process(self, n: int, version: str) -> Lease | None:
        """The n-th image's finished job, to be released; None if it has a problem, which is noted."""
        if self._job.items[n].error_code is not None:
            return None
        try:
            async with self._slots:
                self._note_start()
                limit_s = None if self._job.record.is_async else self._context.settings.request_timeout_s
                try:
                    async with asyncio.timeout(limit_s):
                        return await self._finished(n, version)
                except TimeoutError as error:
                    raise DeadlineExceeded(f"not finished within request_timeout_s={limit_s:g}") from error
        except PixelmendError as error:
            self._note_problem(n, error)
        except Exception as error:
            self._context.log.error(
                "a bug failed an image of a batch", job=self._job.id, item=n, exc_info=error
            )
            self._note_problem(n, known_error(error))
        return None

    async def _finished(self, n: int, version: str) -> Lease:
        lease = await self._accepted(n, version)
        try:
            if lease.job is not None:
                await self._wait(n, lease.job)
        except BaseException:
            lease.release()
            raise
        return lease

    async def _wait(self, n: int, child: Job) -> None:
        """Raises what the child ended with."""

        def pass_on() -> None:
            if child.state is JobState.RUNNING:
                self._note_item_start(n)
            self._job.notify()

        self._job.children[n] = child
        stop = child.observe(pass_on)
        pass_on()
        try:
            await child.ended.wait()
        finally:
            stop()
        if child.error is not None:
            raise child.error

    async def _accepted(self, n: int, version: str) -> Lease:
        item_id = secrets.token_hex(16)
        folder, item = self._task.input_path, self._job.items[n]
        options, spool = self._task.options, self._context.spool
        submission = Submission(
            task=ImageTask(
                item_id,
                spool.input_path(item_id),
                spool.output_path(item_id, self._context.formats.output(options.format).suffix),
                options,
                self._task.steps,
                None if item.mask is None else spool.mask_path(item_id),
            ),
            kind=self._job.record.task.removesuffix(BATCH_SUFFIX),
            owner=self._job.record.owner,
            pixels=item.pixels,
            digest=item.digest,
            model_version=version,
            is_async=False,
            charge=lambda: None,  # the batch was charged for all of them
            reuse=not self._task.fresh,
            file_name=item.file_name,
            request_id=self._job.record.request_id,
            traceparent=self._job.record.traceparent,
        )
        used = False
        try:
            mask = None if item.mask is None else folder / item.mask
            await to_its_end(asyncio.to_thread(spool.link_input, folder / str(n), item_id, mask))
            while True:
                try:
                    await self._context.retention.require_room()
                    lease = await self._context.submitter.submit(submission)
                    break
                except QueueFull:
                    await asyncio.sleep(RETRY_PERIOD_S)
                except NoWorker:
                    # As with other jobs: what is kept on the disk can wait until the cause is gone.
                    if not self._job.record.is_async:
                        raise
                    await asyncio.sleep(RETRY_PERIOD_S)
            used = lease.record.id == item_id
        finally:
            if not used:
                self._context.spool.remove(item_id)
        return lease

    async def _pack(self, n: int, lease: Lease, archive: ResultArchive) -> None:
        """Raises StorageFull, after which the archive cannot be completed."""
        item = self._job.items[n]
        try:
            path, report = self._result_of(lease)
            self._context.spool.require_room(path.stat().st_size)
        except (OSError, PixelmendError) as error:
            self._note_problem(n, known_error(error))
            return
        loop = asyncio.get_running_loop()
        stored = await loop.run_in_executor(self._packer, archive.add, item.output_name, path)
        # Only now: until then the child says how far the image is.
        self._job.children.pop(n, None)
        self._note_item_start(n)
        item = self._job.items[n]
        self._job.items[n] = item.after(JobEvent.FINISH, report=report, result=stored)

    def _result_of(self, lease: Lease) -> tuple[Path, ImageReport]:
        child = lease.job
        if child is not None:
            path, report = child.task.output_path, child.report
        else:
            stored, report = self._context.submitter.result_file(lease.record), lease.record.report
            if stored is None:
                raise InternalError("the result was lost")
            path = stored
        if report is None:
            raise InternalError("the image's job ended without a report")
        return path, report

    def _note_problem(self, n: int, error: PixelmendError) -> None:
        self._job.children.pop(n, None)
        event = JobEvent.CANCEL if isinstance(error, Cancelled) else JobEvent.FAIL
        self._job.items[n] = self._job.items[n].after(
            event, error_code=error.code, error_message=error.message
        )
        self._job.notify()

    def _note_start(self) -> None:
        if self._job.state is JobState.QUEUED:
            self._job.transition(JobEvent.START)

    def _note_item_start(self, n: int) -> None:
        if self._job.items[n].state is JobState.QUEUED:
            self._job.items[n] = self._job.items[n].after(JobEvent.START)

    def _versions(self) -> str:
        return versions_of(self._task.options, load_catalog(self._context.settings.models_dir))
