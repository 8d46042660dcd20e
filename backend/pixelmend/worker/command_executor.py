"""The worker's side of what operators ask for: models are loaded, pinned and unloaded, profiles preloaded."""

import threading
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from pixelmend.core.errors import PixelmendError
from pixelmend.core.profile import Profile
from pixelmend.core.telemetry import Logger
from pixelmend.models.memory import FreedMemory
from pixelmend.worker.commands import (
    Command,
    FreeMemory,
    LoadModel,
    PinModel,
    PreloadProfile,
    ReleaseProfile,
    UnloadAll,
    UnloadModel,
)
from pixelmend.worker.protocol import CommandRequest, CommandResponse, problem_of

T = TypeVar("T")


class Models(Protocol):
    """What commands need of the engine's manager; errors are PixelmendErrors."""

    def load(self, model_id: str) -> None: ...

    def pin(self, model_id: str, pinned: bool) -> None: ...


class Memory(Protocol):
    def free(self) -> FreedMemory: ...

    def unload(self, model_id: str, force: bool) -> FreedMemory: ...

    def unload_all(self, force: bool) -> FreedMemory: ...


class Profiles(Protocol):
    def preload(self, name: str, profile: Profile) -> None: ...

    def release(self, name: str) -> None: ...


class CommandExecutor:
    """Carries each command out on a thread of its own and answers it when it is done: opening a model takes
    seconds, and unloading one waits for the jobs that use it.
    """

    def __init__(
        self,
        models: Models,
        memory: Memory,
        profiles: Profiles,
        answer: Callable[[CommandResponse], None],
        models_changed: Callable[[], None],
        log: Logger,
    ) -> None:
        self._models = models
        self._memory = memory
        self._profiles = profiles
        self._answer = answer
        self._models_changed = models_changed
        self._log = log

    def take(self, message: CommandRequest) -> None:
        """Returns at once."""
        _in_background(self._carry_out, message)

    def preload(self, profiles: Mapping[str, Profile]) -> None:
        """For the start, when no request waits for a response. Returns at once."""
        _in_background(self._preload, profiles)

    def _carry_out(self, message: CommandRequest) -> None:
        try:
            answer = CommandResponse(message.request_id, freed=self._do(message.command))
        except Exception as error:
            if not isinstance(error, PixelmendError):
                self._log.exception("a bug failed a command", command=message.command.kind)
            answer = CommandResponse(message.request_id, problem_of(error))
        # First, so that a client that gets the response sees what has changed.
        self._models_changed()
        self._answer(answer)

    def _do(self, command: Command) -> FreedMemory | None:
        self._log.info("command", command=command)
        match command:
            case LoadModel(model=model):
                self._models.load(model)
            case UnloadModel(model=model, force=force):
                return self._memory.unload(model, force)
            case UnloadAll(force=force):
                return self._memory.unload_all(force)
            case FreeMemory():
                return self._memory.free()
            case PinModel(model=model, pinned=pinned):
                self._models.pin(model, pinned)
            case PreloadProfile(name=name, profile=profile):
                self._profiles.preload(name, profile)
            case ReleaseProfile(name=name):
                self._profiles.release(name)
        return None

    def _preload(self, profiles: Mapping[str, Profile]) -> None:
        for name, profile in profiles.items():
            try:
                self._profiles.preload(name, profile)
            except PixelmendError as error:
                self._log.error("profile not preloaded", profile=name, code=error.code, reason=error.message)
        self._models_changed()


def _in_background(work: Callable[[T], None], about: T) -> None:
    # Not a pool: its threads are waited for at the end of the process, and a command may wait for ever.
    threading.Thread(target=work, args=(about,), name="execute", daemon=True).start()
