"""A scheduler with workers that do what the test says."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from pixelmend.core.config import Settings
from pixelmend.core.management import Management
from pixelmend.core.profile import Profile
from pixelmend.core.telemetry import Logger
from pixelmend.jobs.model import Job, JobRecord
from pixelmend.jobs.scheduler import Scheduler
from pixelmend.jobs.throughput import ThroughputEstimator
from pixelmend.tasks.image import ImageReport, ImageTask
from pixelmend.tasks.options import ImageOptions, UpscaleOptions
from pixelmend.worker.memory import WorkerMemory
from pixelmend.worker.pool import WorkerPool
from pixelmend.worker.protocol import Manage, Submit, ToWorker
from pixelmend.worker.state import WorkerEvents
from pixelmend.worker.status import WorkerStatus

REPORT = ImageReport("m", "0" * 64, "cpu", "CPU", "float32", 4, 4, 1, "64x64", 0.1, 0.1, 0.1, 0.3, (), ())


class ScriptedWorker:
    """Remembers what it is sent; says only what a test makes it say."""

    def __init__(self) -> None:
        self.alive = True
        self.sent: list[ToWorker] = []
        self.memory = WorkerMemory(self.send, lambda _: None)
        self.model_loads = Counter[str]()
        self.device = "cpu"
        self.state = WorkerStatus(True, 0.0, 0.0, None, (), None, 0, 0)

    def start(self, events: WorkerEvents, index: int) -> None:
        self.events, self.index = events, index

    def status(self) -> WorkerStatus:
        return self.state

    def send(self, message: ToWorker) -> bool:
        if self.alive:
            self.sent.append(message)
        return self.alive

    async def stop(self) -> None:
        self.alive = False

    def manage(self, management: Management) -> None:
        self.send(Manage(management))

    def use_profiles(self, profiles: Mapping[str, Profile]) -> None:
        pass

    def given_on_cpu(self) -> dict[str, str | None]:
        """Why, by job."""
        return {m.task.id: m.task.on_cpu_because for m in self.sent if isinstance(m, Submit)}

    def given(self) -> list[str]:
        return [m.task.id for m in self.sent if isinstance(m, Submit)]

    def die(self, *, by_itself: bool = True, crashed: bool = False) -> None:
        self.alive = False
        self.events.on_worker_lost(self.index, "killed by the test", by_itself=by_itself, crashed=crashed)

    def revive(self) -> None:
        self.alive = True
        self.sent.clear()
        self.events.on_worker_ready(self.index)


class ToldPool(WorkerPool):
    long_jobs_waiting = 0

    def expect_long_jobs(self, waiting: int) -> None:
        self.long_jobs_waiting = waiting


class Bench:
    def __init__(self, workers: int = 1, **settings: object) -> None:
        self.workers = [ScriptedWorker() for _ in range(workers)]
        self.worker = self.workers[0]
        self.discarded: list[str] = []
        chosen = Settings(_env_file=None).model_copy(update=settings)
        self.pool = ToldPool(self.workers)
        self.scheduler = Scheduler(
            chosen,
            self.pool,
            ThroughputEstimator(),
            Logger(),
            discard=lambda job: self.discarded.append(job.id),
        )
        self.scheduler.start()

    def submit(self, name: str, pixels: int = 100, *, durable: bool = False, is_long: bool = False) -> Job:
        task = ImageTask(name, Path(name), Path(name + ".out"), ImageOptions(UpscaleOptions("m")), ())
        record = JobRecord(
            name, "upscale", "", name, f"digest of {name}", task.options, pixels, 0.0, is_async=durable
        )
        job = Job.of(record, task, is_long=is_long)
        self.scheduler.submit(job)
        return job


def on_a_loop(body: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(_call(body), 30))


async def _call(body: Callable[[], Awaitable[None]]) -> None:
    await body()
