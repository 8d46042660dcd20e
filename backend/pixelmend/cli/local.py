"""Runs jobs on this machine without a server: the service's own scheduler and worker, nothing else."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pixelmend.cli.files import FileJob, make_writable
from pixelmend.cli.outcomes import Outcome, failed
from pixelmend.cli.request import Request
from pixelmend.core.config import Settings
from pixelmend.core.errors import NoWorker
from pixelmend.core.telemetry import Logger
from pixelmend.jobs.admission import Admission
from pixelmend.jobs.films import admit_film
from pixelmend.jobs.intake import digest_of_pair
from pixelmend.jobs.model import Job
from pixelmend.jobs.scheduler import Scheduler
from pixelmend.jobs.submission import Submission
from pixelmend.jobs.throughput import ThroughputEstimator
from pixelmend.models.catalog import load_catalog
from pixelmend.models.integrity import sha256_of
from pixelmend.tasks.image import ImageTask
from pixelmend.video.header import video_limits
from pixelmend.video.probe import VideoProber
from pixelmend.worker.pool import WorkerPool
from pixelmend.worker.status import WorkerStatus
from pixelmend.worker.supervisor import Supervisor


class LocalEngine:
    """Started workers and the queue before them."""

    def __init__(self, settings: Settings, workers: WorkerPool, scheduler: Scheduler) -> None:
        self._settings = settings
        self._workers = workers
        self._scheduler = scheduler

    def status(self) -> WorkerStatus:
        return self._workers.status()

    async def wait_until_ready(self) -> WorkerStatus:
        """Raises NoWorker with the reason when the worker cannot start."""
        while True:
            status = self.status()
            if status.ready:
                return status
            if status.failed_starts >= 1:
                raise NoWorker(status.problem or "the engine worker does not start")
            await asyncio.sleep(0.05)

    async def process(
        self, file: FileJob, request: Request, on_progress: Callable[[int, int], None]
    ) -> Outcome:
        """One file, start to end. Never raises for what is wrong with the file: that is an outcome."""
        try:
            return await self._process(file, request, on_progress)
        except Exception as error:
            return failed(file, error)

    async def _process(
        self, file: FileJob, request: Request, on_progress: Callable[[int, int], None]
    ) -> Outcome:
        job = await asyncio.to_thread(self._check, file, request)
        self._scheduler.submit(job)
        job.observe(lambda: on_progress(job.done_tiles, job.total_tiles))
        try:
            await job.ended.wait()
        except asyncio.CancelledError:
            self._scheduler.cancel(job)
            raise
        finally:
            file.result.with_name(file.result.name + ".part").unlink(missing_ok=True)
        return Outcome(file, job.report, job.error)

    def _check(self, file: FileJob, request: Request) -> Job:
        """The job of a file, which was checked."""
        settings = self._settings
        if request.task.takes_video:
            return self._check_film(file, request)
        admission = Admission.of(request.task, request.options, settings, load_catalog(settings.models_dir))
        size = admission.size_of(file.source, file.mask)
        make_writable(file.result.parent)
        mask = None if file.mask is None else file.mask.resolve()
        task = ImageTask(
            uuid.uuid4().hex,
            file.source.resolve(),
            file.result.resolve(),
            request.options,
            admission.steps,
            mask,
        )
        digest = sha256_of(file.source)
        if mask is not None:
            digest = digest_of_pair(digest, sha256_of(mask))
        return self._job(task, request, size.pixels, digest)

    def _check_film(self, file: FileJob, request: Request) -> Job:
        """Its finished segments lie beside the result, where the same command finds them again."""
        settings = self._settings
        catalog = load_catalog(settings.models_dir)
        film = admit_film(
            file.source,
            request.options,
            VideoProber(video_limits(settings)),
            lambda options: Admission.of(request.task, options, settings, catalog),
        )
        make_writable(file.result.parent)
        source, result = file.source.resolve(), file.result.resolve()
        parts = result.with_name(f".{result.name}.parts")
        task = film.task(uuid.uuid4().hex, source, result, parts)
        return self._job(task, request, film.pixels, f"{source} {source.stat().st_mtime_ns}")

    def _job(self, task: ImageTask, request: Request, pixels: int, digest: str) -> Job:
        submission = Submission(
            task, request.task.name, "", pixels, digest, "", is_async=False, charge=lambda: None
        )
        return Job.of(submission.record(time.time()), task, is_long=request.task.is_long)


@asynccontextmanager
async def local_engine(settings: Settings, log: Logger) -> AsyncIterator[LocalEngine]:
    """A worker for as long as the context lasts."""
    # A folder may hold any number of files: the queue bounds what a network sends, not what a user has.
    unbounded = settings.model_copy(update={"max_queue_jobs": 1_000_000, "max_queue_pixels": 10**15})
    workers = WorkerPool([Supervisor(own, log) for own in unbounded.for_each_device()])
    scheduler = Scheduler(unbounded, workers, ThroughputEstimator(), log, discard=lambda _: None)
    scheduler.start()
    try:
        yield LocalEngine(unbounded, workers, scheduler)
    finally:
        await scheduler.stop()
