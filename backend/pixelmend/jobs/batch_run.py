"""One batch: its images as jobs of their own, a few at a time, and the archive of what they become."""

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from pixelmend.core.config import Settings
from pixelmend.core.errors import (
    Cancelled,
    DeadlineExceeded,
    InternalError,
    NoWorker,
    PixelmendError,
    QueueFull,
    known_error,
)
from pixelmend.core.telemetry import Logger
from pixelmend.jobs.archive import ResultArchive
from pixelmend.jobs.model import BatchItem, BatchJob, Job, JobRecord, JobState, Work
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


@dataclass(frozen=True, slots=True)
class BatchContext:
    """What all batches share.

    places: for how many images of all batches of an owner are handed in at a time. hand_in: as the desk's
    `accept`. result_file: as the desk's.
    """

    settings: Settings
    spool: Spool
    retention: Retention
    places: Callable[[str], asyncio.Semaphore]
    hand_in: Callable[[Submission], Awaitable[Lease]]
    result_file: Callable[[JobRecord], Path | None]
    manifest: Manifest
    log: Logger


class BatchRun:
    """Runs once, on the event loop; the archive is written by a thread of its own."""

    def __init__(self, around: BatchContext, job: BatchJob, record: JobRecord) -> None:
        self._around = around
        self._job = job
        self._record = record
        self._places = around.places(record.owner)
        self._packer = ThreadPoolExecutor(1, thread_name_prefix="pack")

    async def run(self) -> None:
        """Until the archive is finished, which is when the job is done. Whoever cancels it says why."""
        job, loop = self._job, asyncio.get_running_loop()
        archive: ResultArchive | None = None
        try:
            archive = await loop.run_in_executor(
                self._packer, ResultArchive, job.output_path, self._record.created_s
            )
            await self._fill(archive)
            job.state = JobState.DONE
        except asyncio.CancelledError:
            pass
        except PixelmendError as error:
            job.state, job.error = JobState.FAILED, error
        except Exception as error:
            self._around.log.error("a bug failed the batch", job=job.id, exc_info=error)
            job.state, job.error = JobState.FAILED, known_error(error)
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
                if len(ahead) >= 2 * self._around.settings.worker_jobs:
                    await pack_next()
                ahead.append((n, asyncio.create_task(self._enlarge(n, version))))
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
        text = self._around.manifest(self._record, self._job.items)
        await loop.run_in_executor(self._packer, archive.add_text, MANIFEST_NAME, text)
        self._job.final_bytes = await loop.run_in_executor(self._packer, archive.finish)

    async def _enlarge(self, n: int, version: str) -> Lease | None:
        """The n-th image's finished job, to be released; None where it has a problem, which is noted."""
        if self._job.items[n].error_code is not None:
            return None
        try:
            async with self._places:
                if self._job.state is JobState.QUEUED:
                    self._job.state = JobState.RUNNING
                limit_s = None if self._job.durable else self._around.settings.request_timeout_s
                try:
                    async with asyncio.timeout(limit_s):
                        return await self._finished(n, version)
                except TimeoutError as error:
                    raise DeadlineExceeded(f"not finished within request_timeout_s={limit_s:g}") from error
        except PixelmendError as error:
            self._note_problem(n, error)
        except Exception as error:
            self._around.log.error(
                "a bug failed an image of a batch", job=self._job.id, item=n, exc_info=error
            )
            self._note_problem(n, known_error(error))
        return None

    async def _finished(self, n: int, version: str) -> Lease:
        lease = await self._accepted(n, version)
        try:
            if lease.live is not None:
                await self._wait(n, lease.live.job)
        except BaseException:
            lease.release()
            raise
        return lease

    async def _wait(self, n: int, part: Work) -> None:
        """Raises what the part ended with."""

        def pass_on(_: Work) -> None:
            if part.state is JobState.RUNNING and self._job.items[n].state is JobState.QUEUED:
                self._job.items[n] = replace(self._job.items[n], state=JobState.RUNNING)
            self._job.notify()

        self._job.parts[n] = part
        part.listeners.append(pass_on)
        pass_on(part)
        try:
            await part.ended.wait()
        finally:
            part.listeners.remove(pass_on)
        if part.error is not None:
            raise part.error

    async def _accepted(self, n: int, version: str) -> Lease:
        item_id = secrets.token_hex(16)
        folder, item = self._job.task.input_path, self._job.items[n]
        options, spool = self._job.task.options, self._around.spool
        submission = Submission(
            task=ImageTask(
                item_id,
                spool.input_path(item_id),
                spool.output_path(item_id, options.format.suffix),
                options,
                self._job.task.steps,
                None if item.mask is None else spool.mask_path(item_id),
            ),
            kind=self._record.task.removesuffix(BATCH_SUFFIX),
            owner=self._record.owner,
            pixels=item.pixels,
            digest=item.digest,
            model_version=version,
            asked=False,
            charge=lambda: None,  # the batch was charged for all of them
            reuse=not self._job.task.fresh,
            file_name=item.file_name,
            request_id=self._record.request_id,
        )
        used = False
        try:
            mask = None if item.mask is None else folder / item.mask
            await asyncio.to_thread(spool.link_input, folder / str(n), item_id, mask)
            while True:
                try:
                    await self._around.retention.require_room()
                    lease = await self._around.hand_in(submission)
                    break
                except QueueFull:
                    await asyncio.sleep(RETRY_PERIOD_S)
                except NoWorker:
                    # As with other jobs: what is kept on the disk can wait for a mend.
                    if not self._job.durable:
                        raise
                    await asyncio.sleep(RETRY_PERIOD_S)
            used = lease.record.id == item_id
        finally:
            if not used:
                self._around.spool.remove(item_id)
        return lease

    async def _pack(self, n: int, lease: Lease, archive: ResultArchive) -> None:
        """Raises StorageFull, for the archive cannot be mended then."""
        item = self._job.items[n]
        try:
            path, report = self._result_of(lease)
            self._around.spool.require_room(path.stat().st_size)
        except (OSError, PixelmendError) as error:
            self._note_problem(n, known_error(error))
            return
        loop = asyncio.get_running_loop()
        stored = await loop.run_in_executor(self._packer, archive.add, item.output_name, path)
        # Only now: until then the part says how far the image is.
        self._job.parts.pop(n, None)
        self._job.items[n] = replace(item, state=JobState.DONE, report=report, result=stored)

    def _result_of(self, lease: Lease) -> tuple[Path, ImageReport]:
        part = lease.live.job if lease.live is not None else None
        if isinstance(part, Job):
            path, report = part.output_path, part.report
        else:
            stored, report = self._around.result_file(lease.record), lease.record.report
            if stored is None:
                raise InternalError("the result was lost")
            path = stored
        if report is None:
            raise InternalError("the image's job ended without a report")
        return path, report

    def _note_problem(self, n: int, error: PixelmendError) -> None:
        self._job.parts.pop(n, None)
        state = JobState.CANCELLED if isinstance(error, Cancelled) else JobState.FAILED
        self._job.items[n] = replace(
            self._job.items[n], state=state, error_code=error.code, error_message=error.message
        )
        self._job.notify()

    def _versions(self) -> str:
        return versions_of(self._job.task.options, load_catalog(self._around.settings.models_dir))
