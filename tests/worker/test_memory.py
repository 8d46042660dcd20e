"""What the API process knows of a worker's memory, and what it has the worker do."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch

from pixelmend.core.config import Settings
from pixelmend.core.errors import (
    ModelHeld,
    NoWorker,
    UnknownModel,
)
from pixelmend.core.profile import Profile
from pixelmend.core.telemetry import Logger
from pixelmend.models.memory import Alert, FreedMemory, FreedModel, KeptModel, MemorySample, ModelMemory
from pixelmend.worker.commands import (
    FreeMemory,
    LoadModel,
    PinModel,
    PreloadProfile,
    ReleaseProfile,
    UnloadAll,
    UnloadModel,
)
from pixelmend.worker.memory import KEPT_ALERTS, KEPT_SAMPLES, WorkerMemory
from pixelmend.worker.protocol import (
    CommandRequest,
    CommandResponse,
    FromWorker,
    Memory,
    MemoryAlert,
    Problem,
    ToWorker,
    from_worker_codec,
    to_worker_codec,
)
from pixelmend.worker.supervisor import Supervisor
from tests.engine.networks import compact_state

FREED = FreedMemory((FreedModel("m", "float32", 20),), 20, 18, (KeptModel("n", 1, True, ("p",)),), ("m",))
MODEL = ModelMemory("m", "float32", 20, 10, 1, True, False, 0.0, ("photos",))


def sample(time_s: float = 1.0) -> MemorySample:
    return MemorySample(time_s, 100, 30, 20, 90, None, None, False, 100, 50, 40, (MODEL,), ("photos",))


def alert(state: Any = "raised", value: float = 91.0) -> Alert:
    return Alert("temperature", state, value, 90.0, 1.0, "hot")


def on_a_loop(body: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(body(), 120)

    asyncio.run(bounded())


class Pipe:
    """Remembers what is sent; answers when the test says so."""

    def __init__(self) -> None:
        self.sent: list[CommandRequest] = []
        self.open = True
        self.told: list[Alert] = []
        self.memory = WorkerMemory(self.send, self.told.append)

    def send(self, message: ToWorker) -> bool:
        assert isinstance(message, CommandRequest)
        self.sent.append(message)
        return self.open


def test_messages_cross_the_pipe_unchanged() -> None:
    for news in (
        Memory(sample()),
        MemoryAlert(alert()),
        CommandResponse("1", Problem("c", "m")),
        CommandResponse("1"),
        CommandResponse("1", freed=FREED),
    ):
        assert from_worker_codec().decode(from_worker_codec().encode(news)) == news
    for command in (
        LoadModel("m"),
        UnloadModel("m"),
        PinModel("m", True),
        FreeMemory(),
        UnloadAll(force=True),
        PreloadProfile("p", Profile(models=("m",))),
    ):
        message = CommandRequest("7", command)
        assert to_worker_codec().decode(to_worker_codec().encode(message)) == message


def test_history_is_bounded_and_the_oldest_goes() -> None:
    pipe = Pipe()
    assert pipe.memory.latest is None
    for i in range(KEPT_SAMPLES + 10):
        pipe.memory.on_event(Memory(sample(float(i))))
        pipe.memory.on_event(MemoryAlert(alert(value=float(i))))
    assert len(pipe.memory.history) == KEPT_SAMPLES
    assert (pipe.memory.history[0].time_s, pipe.memory.history[-1].time_s) == (10.0, KEPT_SAMPLES + 9.0)
    assert len(pipe.memory.alerts) == KEPT_ALERTS
    assert len(pipe.told) == KEPT_SAMPLES + 10


def test_alerts_are_up_until_cleared_and_gone_with_their_worker() -> None:
    memory = Pipe().memory
    memory.on_event(MemoryAlert(alert()))
    assert [a.kind for a in memory.raised] == ["temperature"]
    memory.on_event(MemoryAlert(alert("cleared")))
    assert memory.raised == []
    memory.on_event(MemoryAlert(alert()))
    memory.on_event(Memory(sample()))
    memory.worker_lost("killed")
    assert (memory.raised, memory.latest) == ([], None)
    assert len(memory.history) == 1


def test_profiles_are_active_as_the_worker_says() -> None:
    memory = Pipe().memory
    assert memory.active_profiles == frozenset()
    memory.on_event(Memory(sample()))
    assert memory.active_profiles == {"photos"}
    memory.worker_lost("killed")
    assert memory.active_profiles == frozenset()


def test_what_force_took_away_is_not_asked_of_the_next_worker() -> None:
    async def body() -> None:
        pipe = Pipe()
        kept = (PinModel("m", True), PinModel("n", True), PreloadProfile("p", Profile(models=("m",))))
        for command in (*kept, UnloadModel("m", force=True)):
            doing = asyncio.create_task(pipe.memory.execute(command))
            await asyncio.sleep(0)
            freed = FreedMemory(unpinned=("m",), released=("p",)) if command not in kept else None
            pipe.memory.on_event(CommandResponse(pipe.sent[-1].request_id, freed=freed))
            assert await doing == freed
        assert pipe.memory.sticky_commands == [PinModel("n", True)]
        assert pipe.memory.active_profiles == frozenset()

    on_a_loop(body)


def test_without_monitoring_no_sample_is_the_present_one() -> None:
    memory = Pipe().memory
    memory.on_event(Memory(sample()))
    memory.set_monitoring(enabled=False)
    memory.on_event(Memory(sample(2.0)))  # it was on its way
    assert (memory.latest, len(memory.history)) == (None, 1)
    memory.set_monitoring(enabled=True)
    memory.on_event(Memory(sample(3.0)))
    assert memory.latest == sample(3.0)


def test_each_command_gets_its_own_answer() -> None:
    async def body() -> None:
        pipe = Pipe()
        first, second = (asyncio.create_task(pipe.memory.execute(LoadModel(m))) for m in "ab")
        await asyncio.sleep(0)
        ids = [message.request_id for message in pipe.sent]
        pipe.memory.on_event(CommandResponse(ids[1], Problem("unknown-model", "there is no b")))
        with pytest.raises(UnknownModel, match="there is no b"):
            await second
        assert not first.done()
        pipe.memory.on_event(CommandResponse(ids[0]))
        await first
        pipe.memory.on_event(CommandResponse(ids[0]))  # no request waits any more

    on_a_loop(body)


def test_a_lost_worker_answers_everything() -> None:
    async def body() -> None:
        pipe = Pipe()
        waiting = asyncio.create_task(pipe.memory.execute(UnloadModel("m")))
        given_up = asyncio.create_task(pipe.memory.execute(UnloadModel("m")))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.sleep(0)
        pipe.memory.worker_lost("ended by SIGKILL")
        with pytest.raises(NoWorker, match="ended by SIGKILL"):
            await waiting
        pipe.open = False
        with pytest.raises(NoWorker):
            await pipe.memory.execute(UnloadModel("m"))

    on_a_loop(body)


# --- a real worker ----------------------------------------------------------------------------------------


class Watcher:
    """Waits for a worker to be ready, and counts its losses."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.lost = asyncio.Event()

    def on_worker_ready(self, index: int) -> None:
        self.ready.set()

    def on_worker_message(self, index: int, message: FromWorker) -> None:
        raise AssertionError(f"{message} is none of the scheduler's business")

    def on_worker_lost(self, index: int, reason: str, *, by_itself: bool, crashed: bool = False) -> None:
        self.lost.set()


def test_a_real_worker_does_what_it_is_told_and_tells_its_memory(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    safetensors.torch.save_file(compact_state(), tmp_path / "models" / "small.safetensors")

    async def body() -> None:
        settings = Settings(
            _env_file=None,
            device="cpu",
            data_dir=tmp_path / "data",
            models_dir=tmp_path / "models",
            memory_monitoring_interval=0.1,
        )
        supervisor, watcher = Supervisor(settings, Logger()), Watcher()
        memory = supervisor.memory
        with pytest.raises(NoWorker):
            await memory.execute(LoadModel("small"))
        supervisor.start(watcher, 0)
        await watcher.ready.wait()
        try:
            await commands(supervisor)
            # The sample that is under way may have been taken before the last command.
            samples = len(memory.history) + 2
            while memory.latest is None or len(memory.history) < samples:
                await asyncio.sleep(0.01)
            assert [m.model for m in memory.latest.models] == [settings.default_model]
            assert memory.latest.accounted_bytes == memory.latest.models[0].bytes > 0
            assert memory.latest.worker_bytes > 10**7
            assert supervisor.pid is not None
            os.kill(supervisor.pid, signal.SIGSTOP)  # or it may answer before it is killed
            loading = asyncio.create_task(memory.execute(LoadModel("small")))
            await asyncio.sleep(0)  # the command is on its way
            supervisor.kill("by the test")
            with pytest.raises(NoWorker, match="by the test"):
                await loading
            await watcher.lost.wait()
            assert memory.latest is None
        finally:
            await supervisor.stop()

    async def commands(supervisor: Supervisor) -> None:
        def small() -> tuple[bool, bool]:
            model = next(m for m in supervisor.status().models if m.id == "small")
            return model.loaded, model.pinned

        memory, small_set = supervisor.memory, Profile(models=("small",))
        await memory.execute(LoadModel("small"))
        assert small() == (True, False)
        await memory.execute(UnloadModel("small"))
        assert small() == (False, False)
        await memory.execute(PinModel("small", True))
        assert small() == (True, True)
        with pytest.raises(ModelHeld):
            await memory.execute(UnloadModel("small"))
        await memory.execute(PinModel("small", False))
        await memory.execute(PreloadProfile("set", small_set))
        with pytest.raises(ModelHeld, match="profile 'set'"):
            await memory.execute(UnloadModel("small"))
        await memory.execute(ReleaseProfile("set"))
        assert small() == (False, False)
        wrong = PreloadProfile("none", Profile(models=("small", "none")))
        for command in (LoadModel("unknown"), wrong):
            with pytest.raises(UnknownModel):
                await memory.execute(command)
        assert small() == (False, False)

    on_a_loop(body)
