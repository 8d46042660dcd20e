"""What the job service may count on of its workers, whichever they are: processes or replicas in a cluster.

Replicas are reached without Ray here: the pool, the gateway and the engines are the real ones. With Ray:
tests/process/test_cluster.py.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from pixelmend.core.config import Settings
from pixelmend.core.management import management_of
from pixelmend.core.profile import Profile
from pixelmend.core.telemetry import Logger
from pixelmend.tasks.image import ImageTask
from pixelmend.tasks.options import ImageOptions, UpscaleOptions
from pixelmend.tasks.upscale import UpscaleTask
from pixelmend.worker.cluster.pool import ClusterPool
from pixelmend.worker.commands import LoadModel, PinModel, ReleaseProfile, UnloadModel
from pixelmend.worker.pool import WorkerPool
from pixelmend.worker.process import Extensions
from pixelmend.worker.protocol import Cancel, Done, Failed, FromWorker, Progress, Submit
from pixelmend.worker.supervisor import Supervisor
from tests.inprocess import ThreadWorker
from tests.pictures import decoded, encoded, photo
from tests.worker.cluster.stand_in import ThreadGateway

KINDS = ("processes", "replicas")


class Bench:
    """A started pool of one worker, and what it tells."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(
            _env_file=None, device="cpu", threads=1, data_dir=folder, models_dir=folder / "models"
        )
        self.told: list[FromWorker] = []
        self.losses: list[tuple[str, bool, bool]] = []
        self.ready = 0
        self.changed = asyncio.Condition()
        self.threads: list[ThreadWorker] = []
        self.gateway: ThreadGateway | None = None
        self.pool = self._replicas() if kind == "replicas" else self._processes()

    def _processes(self) -> WorkerPool:
        def spawn(end: object) -> ThreadWorker:
            self.threads.append(ThreadWorker(end, Extensions()))  # type: ignore[arg-type]
            return self.threads[-1]

        return WorkerPool([Supervisor(self.settings, Logger(), spawn=spawn)])

    def _replicas(self) -> WorkerPool:
        def spawn(end: object) -> ThreadGateway:
            self.gateway = ThreadGateway(end, self.folder)  # type: ignore[arg-type]
            return self.gateway

        return ClusterPool(self.settings, Logger(), spawn=spawn)

    @property
    def worker(self) -> ThreadWorker:
        if self.gateway is None:
            return self.threads[-1]
        assert self.gateway.deployment is not None
        return self.gateway.deployment.workers["r0"][-1]

    def on_worker_ready(self, index: int) -> None:
        self.ready += 1

    def on_worker_message(self, index: int, message: FromWorker) -> None:
        self.told.append(message)

    def on_worker_lost(self, index: int, reason: str, *, by_itself: bool, crashed: bool = False) -> None:
        self.losses.append((reason, by_itself, crashed))

    async def until(self, holds: Callable[[], object]) -> None:
        while not holds():
            await asyncio.sleep(0.01)

    async def until_ready(self) -> None:
        await self.until(lambda: self.pool.status().ready)

    def task(self, name: str, data: bytes, side_px: int | None = None) -> ImageTask:
        options = ImageOptions(UpscaleOptions("pixelmend-x4", tile_px=side_px))
        source = self.folder / f"{name}.in"
        source.write_bytes(data)
        output = self.folder / f"{name}.out.png"
        return ImageTask(name, source, output, options, UpscaleTask().steps(options))

    def ends_of(self, name: str) -> list[FromWorker]:
        return [each for each in self.told if isinstance(each, Done | Failed) and each.task_id == name]

    async def end_of(self, name: str) -> FromWorker:
        await self.until(lambda: self.ends_of(name))
        return self.ends_of(name)[0]


@asynccontextmanager
async def started(kind: str, folder: Path) -> AsyncIterator[Bench]:
    bench = Bench(kind, folder)
    bench.pool.start(bench)
    try:
        await bench.until_ready()
        yield bench
    finally:
        await bench.pool.stop()


def on_a_loop(kind: str, folder: Path, body: Callable[[Bench], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with started(kind, folder) as bench:
            await asyncio.wait_for(body(bench), 120)

    # Other tests' services live on in this process, with threads of the same names.
    before = set(threading.enumerate())
    asyncio.run(bounded())
    left = set(threading.enumerate()) - before
    assert not [each for each in left if each.name in ("worker", "gateway")]


@pytest.mark.parametrize("kind", KINDS)
def test_jobs_end_once_with_their_results_or_reasons(kind: str, tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        assert bench.ready
        status = bench.pool.statuses()[0]
        assert status.device is not None
        assert bench.pool.device_named(bench.pool.devices()[0]) == 0
        assert [model.id for model in status.models if model.loaded] == ["pixelmend-x4"]
        good, bad = bench.task("good", encoded(photo())), bench.task("bad", b"no image")
        assert bench.pool.send(0, Submit(good))
        assert bench.pool.send(0, Submit(bad))
        ended, failed = await bench.end_of("good"), await bench.end_of("bad")
        assert isinstance(ended, Done)
        assert (ended.report.width_px, ended.report.height_px) == (384, 384)
        assert isinstance(failed, Failed)
        assert failed.code == "unsupported-format"
        progress = [each for each in bench.told if isinstance(each, Progress) and each.task_id == "good"]
        assert progress[-1].done_tiles == progress[-1].total_tiles
        assert bench.told.index(progress[-1]) < bench.told.index(ended)
        assert decoded(good.output_path.read_bytes()).shape == (384, 384, 3)
        assert not bad.output_path.exists()
        assert not list(tmp_path.glob("*.part"))

    on_a_loop(kind, tmp_path, body)


def test_both_give_the_same_bytes(tmp_path: Path) -> None:
    results = []
    for kind in KINDS:
        folder = tmp_path / kind
        folder.mkdir()

        async def body(bench: Bench) -> None:
            task = bench.task("same", encoded(photo(side_px=80)))
            bench.pool.send(0, Submit(task))
            assert isinstance(await bench.end_of("same"), Done)
            results.append(task.output_path.read_bytes())

        on_a_loop(kind, folder, body)
    assert results[0] == results[1]


@pytest.mark.parametrize("kind", KINDS)
def test_cancelled_job_ends_within_a_tile_and_leaves_nothing(kind: str, tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        large = bench.task("large", encoded(photo(side_px=400, left=20, top=20)), side_px=96)
        bench.pool.send(0, Submit(large))
        await bench.until(lambda: any(isinstance(each, Progress) for each in bench.told))
        assert bench.pool.send(0, Cancel("large"))
        ended = await bench.end_of("large")
        assert isinstance(ended, Failed)
        assert ended.code == "cancelled"
        small = bench.task("small", encoded(photo(side_px=32)))
        bench.pool.send(0, Submit(small))
        assert isinstance(await bench.end_of("small"), Done)
        assert not large.output_path.exists()
        assert len(bench.ends_of("large")) == 1

    on_a_loop(kind, tmp_path, body)


@pytest.mark.parametrize("kind", KINDS)
def test_commands_have_happened_when_they_return(kind: str, tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        def loaded() -> set[str]:
            return {model.id for model in bench.pool.status().models if model.loaded}

        await bench.pool.execute(LoadModel("pixelmend-x2"))
        assert "pixelmend-x2" in loaded()
        assert bench.pool.model_loads["pixelmend-x2"] == 1
        await bench.pool.execute(UnloadModel("pixelmend-x2"))
        assert "pixelmend-x2" not in loaded()
        await bench.pool.preload("p", Profile(models=("pixelmend-x2",)))
        assert bench.pool.active_profiles == {"p"}
        await bench.pool.execute(ReleaseProfile("p"))
        assert bench.pool.active_profiles == frozenset()
        bench.pool.manage(replace(management_of(bench.settings), memory_monitoring_interval=0.1))
        await bench.until(lambda: bench.pool.memories[0].latest is not None)

    on_a_loop(kind, tmp_path, body)


@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_that_crashed_is_told_as_one(kind: str, tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        bench.worker.crash()
        await bench.until(lambda: bench.losses)
        assert bench.losses == [("ended by SIGSEGV", True, True)]

    on_a_loop(kind, tmp_path, body)


@pytest.mark.parametrize("kind", KINDS)
def test_lost_worker_is_told_and_the_next_one_keeps_what_was_pinned(kind: str, tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        await bench.pool.execute(PinModel("pixelmend-x2", pinned=True))
        bench.worker.hold()
        bench.pool.send(0, Submit(bench.task("held", encoded(photo()))))
        bench.worker.kill()
        await bench.until(lambda: bench.losses)
        assert bench.ends_of("held") == []
        await bench.until_ready()
        await bench.until(lambda: any(model.pinned for model in bench.pool.status().models))
        again = bench.task("again", encoded(photo()))
        bench.pool.send(0, Submit(again))
        assert isinstance(await bench.end_of("again"), Done)
        assert len(bench.losses) == 1
        assert bench.losses[0][1:] == (True, False)

    on_a_loop(kind, tmp_path, body)
