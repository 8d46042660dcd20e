"""Runs batches: hands their images in as jobs of their own, a few at a time, and packs what they become."""

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from pixelmend.config import Settings
from pixelmend.errors import (
    Cancelled,
    DeadlineExceeded,
    Draining,
    InternalError,
    NoWorker,
    PixelmendError,
    QueueFull,
)
from pixelmend.models.catalog import load_catalog
from pixelmend.serving.archive import ResultArchive
from pixelmend.serving.jobs import ENDED, BatchItem, BatchJob, BatchTask, Job, JobRecord, JobState, Work
from pixelmend.serving.retention import Retention
from pixelmend.serving.store import Spool
from pixelmend.serving.submission import Lease, Submission, model_version
from pixelmend.tasks import UpscaleReport, UpscaleTask
from pixelmend.telemetry import Logger

BATCH = "upscale-batch"
UPSCALE = "upscale"
MANIFEST_NAME = "manifest.json"
RETRY_PERIOD_S = 1.0

Manifest = Callable[[JobRecord, Sequence[BatchItem]], str]
"""The text of MANIFEST_NAME: what became of each image."""


class Batches:
    """All methods belong to one event loop. All batches together take no more places of the queue than the
    worker holds jobs, in turns, so that others are hardly held up; an image that the queue has no room for
    waits.

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
        self._settings = settings
        self._spool = spool
        self._retention = retention
        self._hand_in = hand_in
        self._result_file = result_file
        self._forecast_s = forecast_s
        self._manifest = manifest
        self._log = log
        self._places = asyncio.Semaphore(settings.worker_jobs)
        self._active: dict[str, BatchJob] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._draining = False

    def require_room(self) -> None:
        """Raises Draining, QueueFull."""
        if self._draining:
            raise Draining("the service finishes accepted work and takes no more")
        if len(self._active) >= self._settings.max_queue_jobs:
            raise QueueFull(
                f"{len(self._active)} batches are waiting, max_queue_jobs={self._settings.max_queue_jobs}"
            )

    def submit(self, record: JobRecord, task: BatchTask, *, durable: bool = False) -> BatchJob:
        """Begin a batch, which ends whatever happens to its images."""
        job = BatchJob(
            id=task.id,
            output_path=task.output_path,
            pixels=record.pixels,
            digest=record.digest,
            request_id=record.request_id,
            durable=durable,
            task=task,
            items=list(task.items),
        )
        self._active[job.id] = job
        self._tasks[job.id] = asyncio.create_task(self._run(job, record), name=f"batch {job.id}")
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

    def _park(self, job: BatchJob) -> None:
        job.parked = True
        job.error = Draining(f"the service stopped before job {job.id} was finished")
        self._tasks[job.id].cancel()

    # --- one batch --------------------------------------------------------------------------------------

    async def _run(self, job: BatchJob, record: JobRecord) -> None:
        packer = ThreadPoolExecutor(1, thread_name_prefix="pack")
        archive: ResultArchive | None = None
        loop = asyncio.get_running_loop()
        try:
            archive = await loop.run_in_executor(packer, ResultArchive, job.output_path, record.created_s)
            await self._fill(job, record, archive, packer)
            job.state = JobState.DONE
        except asyncio.CancelledError:
            pass  # whoever did that has said why
        except PixelmendError as error:
            job.state, job.error = JobState.FAILED, error
        except Exception as error:
            self._log.error("a bug failed the batch", job=job.id, exc_info=error)
            job.state, job.error = JobState.FAILED, InternalError(f"{type(error).__name__} in the batch")
        if archive is not None and job.state is not JobState.DONE:
            # On the thread that writes it, hence after what it is doing.
            await loop.run_in_executor(packer, archive.discard)
        packer.shutdown(wait=False)
        failed = sum(item.state is not JobState.DONE for item in job.items)
        self._log.info(
            "batch ended", job=job.id, state=job.state, items=len(job.items), failed=failed, parked=job.parked
        )
        del self._active[job.id], self._tasks[job.id]
        job.ended.set()
        job.notify()

    async def _fill(
        self, job: BatchJob, record: JobRecord, archive: ResultArchive, packer: ThreadPoolExecutor
    ) -> None:
        """In the order in which the images came; those behind the next one to be packed run ahead of it."""
        loop = asyncio.get_running_loop()
        version = await asyncio.to_thread(self._model_version, job.task.options.model)
        ahead: deque[tuple[int, asyncio.Task[Lease | None]]] = deque()

        async def pack_next() -> None:
            n, work = ahead[0]
            lease = await work
            ahead.popleft()
            if lease is not None:
                try:
                    await self._pack(job, n, lease, archive, packer)
                finally:
                    lease.release()
            job.final_bytes = archive.final_bytes
            job.notify()

        try:
            for n in range(len(job.items)):
                if len(ahead) >= 2 * self._settings.worker_jobs:
                    await pack_next()
                ahead.append((n, asyncio.create_task(self._enlarge(job, record, n, version))))
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
        text = self._manifest(record, job.items)
        await loop.run_in_executor(packer, archive.add_text, MANIFEST_NAME, text)
        job.final_bytes = await loop.run_in_executor(packer, archive.finish)

    async def _enlarge(self, job: BatchJob, record: JobRecord, n: int, version: str) -> Lease | None:
        """The n-th image's finished job, to be released; None where it has a problem, which is noted."""
        if job.items[n].error_code is not None:
            return None
        try:
            async with self._places:
                if job.state is JobState.QUEUED:
                    job.state = JobState.RUNNING
                limit_s = None if job.durable else self._settings.request_timeout_s
                try:
                    async with asyncio.timeout(limit_s):
                        return await self._finished(job, record, n, version)
                except TimeoutError as error:
                    raise DeadlineExceeded(f"not finished within request_timeout_s={limit_s:g}") from error
        except PixelmendError as error:
            self._note_problem(job, n, error)
        except Exception as error:
            self._log.error("a bug failed an image of a batch", job=job.id, item=n, exc_info=error)
            self._note_problem(job, n, InternalError(f"{type(error).__name__} in the batch"))
        return None

    async def _finished(self, job: BatchJob, record: JobRecord, n: int, version: str) -> Lease:
        lease = await self._accepted(job, record, n, version)
        try:
            if lease.live is not None:
                await self._wait(job, n, lease.live.job)
        except BaseException:
            lease.release()
            raise
        finally:
            job.parts.pop(n, None)
        return lease

    async def _wait(self, job: BatchJob, n: int, part: Work) -> None:
        """Raises what the part ended with."""

        def pass_on(_: Work) -> None:
            if part.state is JobState.RUNNING and job.items[n].state is JobState.QUEUED:
                job.items[n] = replace(job.items[n], state=JobState.RUNNING)
            job.notify()

        job.parts[n] = part
        part.listeners.append(pass_on)
        pass_on(part)
        try:
            await part.ended.wait()
        finally:
            part.listeners.remove(pass_on)
        if part.error is not None:
            raise part.error

    async def _accepted(self, job: BatchJob, record: JobRecord, n: int, version: str) -> Lease:
        item_id = secrets.token_hex(16)
        source = job.task.input_path / str(n)
        options = job.task.options
        path = self._spool.input_path(item_id)
        submission = Submission(
            task=UpscaleTask(item_id, path, self._spool.output_path(item_id, options.format.suffix), options),
            kind=UPSCALE,
            owner=record.owner,
            pixels=job.items[n].pixels,
            digest=job.items[n].digest,
            model_version=version,
            asked=False,
            charge=lambda: None,  # the batch was charged for all of them
            reuse=not job.task.fresh,
            file_name=job.items[n].file_name,
            request_id=record.request_id,
        )
        used = False
        try:
            await asyncio.to_thread(self._spool.link_input, source, item_id)
            while True:
                try:
                    await self._retention.require_room()
                    lease = await self._hand_in(submission)
                    break
                except QueueFull:
                    await asyncio.sleep(RETRY_PERIOD_S)
                except NoWorker:
                    # As with other jobs: what is kept on the disk can wait for a mend.
                    if not job.durable:
                        raise
                    await asyncio.sleep(RETRY_PERIOD_S)
            used = lease.record.id == item_id
        finally:
            if not used:
                self._spool.remove(item_id)
        return lease

    async def _pack(
        self, job: BatchJob, n: int, lease: Lease, archive: ResultArchive, packer: ThreadPoolExecutor
    ) -> None:
        """Raises StorageFull, for the archive cannot be mended then."""
        item = job.items[n]
        try:
            path, report = self._result_of(lease)
            self._spool.require_room(path.stat().st_size)
        except (OSError, PixelmendError) as error:
            known = error if isinstance(error, PixelmendError) else InternalError("the result was lost")
            self._note_problem(job, n, known)
            return
        loop = asyncio.get_running_loop()
        stored = await loop.run_in_executor(packer, archive.add, item.output_name, path)
        job.items[n] = replace(item, state=JobState.DONE, report=report, result=stored)

    def _result_of(self, lease: Lease) -> tuple[Path, UpscaleReport]:
        part = lease.live.job if lease.live is not None else None
        if isinstance(part, Job):
            path, report = part.output_path, part.report
        else:
            stored, report = self._result_file(lease.record), lease.record.report
            if stored is None:
                raise InternalError("the result was lost")
            path = stored
        if report is None:
            raise InternalError("the image's job ended without a report")
        return path, report

    def _note_problem(self, job: BatchJob, n: int, error: PixelmendError) -> None:
        state = JobState.CANCELLED if isinstance(error, Cancelled) else JobState.FAILED
        job.items[n] = replace(job.items[n], state=state, error_code=error.code, error_message=error.message)
        job.notify()

    def _model_version(self, model_id: str) -> str:
        return model_version(load_catalog(self._settings.models_dir).get(model_id))
