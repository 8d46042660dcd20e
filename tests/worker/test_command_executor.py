"""What a worker does with commands, and when it answers them."""

import threading
from typing import Any

from pixelmend.core.errors import (
    ModelHeld,
    UnknownProfile,
)
from pixelmend.core.profile import Profile
from pixelmend.core.telemetry import Logger
from pixelmend.models.memory import FreedMemory
from pixelmend.worker.command_executor import CommandExecutor
from pixelmend.worker.commands import (
    FreeMemory,
    LoadModel,
    PinModel,
    PreloadProfile,
    ReleaseProfile,
    UnloadModel,
)
from pixelmend.worker.protocol import (
    CommandRequest,
    CommandResponse,
    Problem,
)

FREED = FreedMemory(unpinned=("m",))


class Engine:
    """Does what commands say by writing it down; `a` cannot be unloaded before the gate is open."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.gate = threading.Event()

    def load(self, model_id: str) -> None:
        if model_id == "bug":
            raise ZeroDivisionError
        self.done.append(f"load {model_id}")

    def unload(self, model_id: str, force: bool) -> FreedMemory:
        assert self.gate.wait(60)
        raise ModelHeld("pinned")

    def unload_all(self, force: bool) -> FreedMemory:
        self.done.append(f"unload_all {force}")
        return FreedMemory(unpinned=("m",))

    def pin(self, model_id: str, pinned: bool) -> None:
        self.done.append(f"pin {model_id} {pinned}")

    def free(self) -> FreedMemory:
        self.done.append("free")
        return FREED

    def preload(self, name: str, profile: Profile) -> None:
        if name == "broken":
            raise UnknownProfile("broken")
        self.done.append(f"preload {name}")

    def release(self, name: str) -> None:
        self.done.append(f"release {name}")


def test_commands_do_not_wait_for_one_another_and_are_answered_when_done() -> None:
    engine, answers, news = Engine(), dict[str, CommandResponse](), threading.Semaphore(0)

    def answer(message: CommandResponse) -> None:
        answers[message.request_id] = message
        news.release()

    command_executor = CommandExecutor(
        engine, engine, engine, answer, lambda: engine.done.append("told"), Logger()
    )

    def done(number: str, command: Any) -> CommandResponse | None:
        command_executor.take(CommandRequest(number, command))
        assert news.acquire(timeout=60)
        return answers.get(number)

    command_executor.take(CommandRequest("slow", UnloadModel("a")))
    assert done("1", LoadModel("m")) == CommandResponse("1")
    assert engine.done == ["load m", "told"]  # the list of models is on its way before the answer
    done("2", PinModel("m", True))
    assert done("3", FreeMemory()) == CommandResponse("3", freed=FREED)
    done("4", PreloadProfile("p", Profile(models=("m",))))
    done("5", ReleaseProfile("p"))
    assert [d for d in engine.done if d != "told"][1:] == [
        "pin m True",
        "free",
        "preload p",
        "release p",
    ]
    failed = done("6", LoadModel("bug"))
    assert failed is not None
    assert failed.problem is not None
    assert failed.problem.code == "internal"
    assert "slow" not in answers
    engine.gate.set()
    assert news.acquire(timeout=60)
    assert answers["slow"].problem == Problem("model-held", "pinned")


def test_a_profile_that_cannot_be_preloaded_does_not_keep_the_next_from_it() -> None:
    engine, told = Engine(), threading.Event()
    profile = Profile(models=("m",))
    executor = CommandExecutor(engine, engine, engine, lambda _: None, told.set, Logger())
    executor.preload({"broken": profile, "whole": profile})
    assert told.wait(60)
    assert engine.done == ["preload whole"]
