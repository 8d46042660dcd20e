"""What a worker has told of itself, wherever it runs: the one reader of its messages."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from pixelmend.core.config import Settings
from pixelmend.core.errors import PixelmendError
from pixelmend.core.management import Management
from pixelmend.core.telemetry import Logger
from pixelmend.models.description import ModelDescription
from pixelmend.models.memory import Alert
from pixelmend.models.recovery import RecoveryEvent
from pixelmend.worker.commands import Command
from pixelmend.worker.memory import WorkerMemory
from pixelmend.worker.protocol import (
    CommandResponse,
    FromWorker,
    Heartbeat,
    Manage,
    Memory,
    MemoryAlert,
    Models,
    Ready,
    Recovery,
    StartFailed,
    ToWorker,
)
from pixelmend.worker.status import WorkerStatus
from pixelmend.worker.watchdog import VitalSigns

FRESH_HEARTBEAT_S = 5.0
"""A worker whose last heartbeat is older is not ready."""


class WorkerEvents(Protocol):
    """What uses the workers. It is called on the event loop, with the worker's index."""

    def on_worker_ready(self, index: int) -> None: ...

    def on_worker_message(self, index: int, message: FromWorker) -> None: ...

    def on_worker_lost(self, index: int, reason: str, *, by_itself: bool, crashed: bool = False) -> None:
        """by_itself: it ended, or the system ended it; otherwise we did. crashed: code of a library or of a
        driver did what no process may.
        """
        ...


class WorkerState:
    """Belongs to one event loop. It outlives workers: each begins with its first message, and ends by `lost`.

    send: False if no worker takes it. on_alert, on_recovery: told of every one; must not block.
    """

    def __init__(
        self,
        settings: Settings,
        log: Logger,
        send: Callable[[ToWorker], bool],
        on_alert: Callable[[Alert], None],
        on_recovery: Callable[[RecoveryEvent], None] = lambda _: None,
    ) -> None:
        self.memory = WorkerMemory(send, on_alert)
        self.model_loads: Counter[str] = Counter()
        """How often each model was opened, by all workers so far."""
        self.ready: Ready | None = None
        self.problem: str | None = "the worker is starting"
        self.restarts = 0
        self.failed_starts = 0
        self._stall_timeout_s = settings.stall_timeout_s
        self._log = log
        self._send = send
        self._on_recovery = on_recovery
        self._management: Management | None = None
        self._models: tuple[ModelDescription, ...] = ()
        self._arriving: tuple[ModelDescription, ...] = ()
        self._heartbeat_s: float | None = None
        self._step_age_s = 0.0
        self._repeating: set[asyncio.Task[None]] = set()

    @property
    def vital_signs(self) -> VitalSigns:
        return VitalSigns(self.ready is not None, self._heartbeat_s, self._step_age_s)

    def status(self) -> WorkerStatus:
        age = None if self._heartbeat_s is None else time.monotonic() - self._heartbeat_s
        alive = self.ready is not None and age is not None and age < FRESH_HEARTBEAT_S
        stuck = self._step_age_s > self._stall_timeout_s
        return WorkerStatus(
            ready=alive and not stuck,
            heartbeat_age_s=age,
            step_age_s=self._step_age_s,
            device=self.ready.device if self.ready else None,
            models=self._models,
            problem=self.problem,
            restarts=self.restarts,
            failed_starts=self.failed_starts,
            room_bytes=self.memory.room_bytes,
        )

    def manage(self, management: Management) -> None:
        """Settings that count from now on, for this worker and those after it."""
        self._management = management
        self.memory.set_monitoring(enabled=management.memory_monitoring_enabled)
        self._send(Manage(management))

    def on_message(self, message: FromWorker, events: WorkerEvents, index: int) -> None:
        self._heartbeat_s = time.monotonic()
        match message:
            case Heartbeat(step_age_s=age):
                self._step_age_s = age
            case Ready():
                self.ready, self.failed_starts = message, 0
                self.problem = message.default_model_error
                self._log.info("worker ready", device=message.device.name, restarts=self.restarts)
                if self._management is not None:  # it may have changed since the worker was configured
                    self._send(Manage(self._management))
                for command in self.memory.sticky_commands:
                    self.repeat(command)
                events.on_worker_ready(index)
            case Models(models=models, last=last):
                self._arriving += models
                if last:
                    self._update_models(self._arriving)
                    self._arriving = ()
            case Memory() | MemoryAlert() | CommandResponse():  # from other threads than the device loop's
                self.memory.on_event(message)
            case Recovery(event=event):
                self._on_recovery(event)
            case StartFailed(message=reason):
                self.problem = f"the worker cannot start: {reason}"
            case _:
                self._step_age_s = 0.0
                events.on_worker_message(index, message)

    def silent(self) -> bool:
        """Nothing comes from it any more. Returns whether it had been ready."""
        was_ready = self.ready is not None
        self.ready, self._heartbeat_s, self._step_age_s = None, None, 0.0
        self._models, self._arriving = (), ()
        return was_ready

    def repeat(self, command: Command) -> None:
        """Have the worker do what others had been asked to keep; a failure is logged."""
        task = asyncio.create_task(self._repeat(command))
        self._repeating.add(task)
        task.add_done_callback(self._repeating.discard)

    async def _repeat(self, command: Command) -> None:
        try:
            await self.memory.execute(command)
        except PixelmendError as error:
            self._log.error("a command is not repeated", command=command.kind, reason=error.message)

    def _update_models(self, models: tuple[ModelDescription, ...]) -> None:
        before = {model.id for model in self._models if model.loaded}
        self.model_loads.update(model.id for model in models if model.loaded and model.id not in before)
        self._models = models
