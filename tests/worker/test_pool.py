"""Which worker a command goes to, and what becomes of it if one of several cannot."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from pixelmend.core.errors import InvalidParameter, ModelTooLarge, NoWorker
from pixelmend.core.profile import Placement, Profile
from pixelmend.models.description import DeviceDescription
from pixelmend.models.memory import FreedMemory
from pixelmend.worker.commands import Command, FreeMemory, LoadModel, PreloadProfile, ReleaseProfile
from pixelmend.worker.pool import WorkerPool
from pixelmend.worker.protocol import CommandRequest, CommandResponse, Problem
from pixelmend.worker.status import WorkerStatus
from tests.jobs.bench import ScriptedWorker

FREED = FreedMemory(bytes=5)


class Bench:
    """Two workers that answer what they are sent when the test says so."""

    def __init__(self) -> None:
        self.workers = [ScriptedWorker(), ScriptedWorker()]
        for index, worker in enumerate(self.workers):
            worker.device = f"cuda:{index}"
        self.pool = WorkerPool(self.workers)

    def commands(self, index: int) -> list[Command]:
        return [m.command for m in self.workers[index].sent if isinstance(m, CommandRequest)]

    def answer(self, index: int, problem: Problem | None = None, freed: FreedMemory | None = None) -> None:
        worker = self.workers[index]
        message = [m for m in worker.sent if isinstance(m, CommandRequest)][-1]
        worker.memory.on_event(CommandResponse(message.request_id, problem, freed))


async def settled() -> None:
    """What can happen without an answer has happened."""
    for _ in range(10):
        await asyncio.sleep(0)


def on_a_loop(body: Callable[[Bench], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(body(Bench()), 30)

    asyncio.run(bounded())


def test_device_is_found_by_each_of_its_names() -> None:
    bench = Bench()
    bench.workers[0].device = "auto"
    bench.workers[0].state = WorkerStatus(
        True, 0.0, 0.0, DeviceDescription("cuda", "GPU", 1, id="cuda:3"), (), None, 0, 0
    )
    assert bench.pool.devices() == ["cuda:3", "cuda:1"]
    assert [bench.pool.device_named(name) for name in ("cuda:3", "auto", "0", "cuda:1", "1")] == [
        0,
        0,
        0,
        1,
        1,
    ]
    for name in ("cuda:0", "2", "", "cpu"):
        with pytest.raises(InvalidParameter, match=r"there are: 0 \(cuda:3\), 1 \(cuda:1\)"):
            bench.pool.device_named(name)


def test_model_is_loaded_where_it_was_asked_for() -> None:
    async def body(bench: Bench) -> None:
        loading = asyncio.create_task(bench.pool.execute(LoadModel("m"), 1))
        await settled()
        assert (bench.commands(0), bench.commands(1)) == ([], [LoadModel("m")])
        bench.answer(1)
        await loading

    on_a_loop(body)


def test_each_part_of_a_profile_goes_to_its_device() -> None:
    placements = {"b": Placement(device="cuda:1"), "c": Placement(device="cuda:0", priority=4)}
    profile = Profile(models=("a", "b", "c"), placements=placements)

    async def body(bench: Bench) -> None:
        preloading = asyncio.create_task(bench.pool.preload("p", profile))
        await settled()
        first, second = profile.of_models(("a", "c")), profile.of_models(("b",))
        assert first is not None
        assert second is not None
        assert bench.commands(0) == [PreloadProfile("p", first)]
        assert bench.commands(1) == [PreloadProfile("p", second)]
        bench.answer(0)
        bench.answer(1)
        await preloading
        assert bench.pool.active_profiles == {"p"}

    on_a_loop(body)


def test_profile_that_one_device_cannot_have_is_held_by_none() -> None:
    profile = Profile(models=("a", "b"), placements={"b": Placement(device="cuda:1")})

    async def body(bench: Bench) -> None:
        preloading = asyncio.create_task(bench.pool.preload("p", profile))
        await settled()
        bench.answer(0)
        bench.answer(1, Problem("model-too-large", "no room"))
        while bench.commands(0)[-1] != ReleaseProfile("p"):
            await settled()
        bench.answer(0)
        with pytest.raises(ModelTooLarge, match="no room"):
            await preloading
        assert bench.pool.active_profiles == frozenset()
        assert len(bench.commands(1)) == 1

    on_a_loop(body)


def test_profile_with_an_absent_device_is_refused_before_anything_is_opened() -> None:
    profile = Profile(models=("a", "b"), placements={"b": Placement(device="cuda:5")})

    async def body(bench: Bench) -> None:
        with pytest.raises(InvalidParameter, match="cuda:5"):
            await bench.pool.preload("p", profile)
        assert bench.commands(0) == bench.commands(1) == []

    on_a_loop(body)


def test_memory_is_freed_where_it_can_be() -> None:
    async def body(bench: Bench) -> None:
        bench.workers[1].alive = False
        freeing = asyncio.create_task(bench.pool.free(FreeMemory()))
        await settled()
        bench.answer(0, freed=FREED)
        first, second = await freeing
        assert first == FREED
        assert isinstance(second, NoWorker)
        bench.workers[0].alive = False
        with pytest.raises(NoWorker):
            await bench.pool.free(FreeMemory())

    on_a_loop(body)
