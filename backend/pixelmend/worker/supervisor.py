"""Keeps one engine worker alive: starts it, listens to it, kills it when it hangs, starts it again."""

import asyncio
import contextlib
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Protocol

from pixelmend.core.config import Settings
from pixelmend.core.errors import PixelmendError
from pixelmend.core.management import Management
from pixelmend.core.profile import Profile
from pixelmend.core.telemetry import Logger
from pixelmend.models.description import ModelDescription
from pixelmend.models.memory import Alert
from pixelmend.models.recovery import RecoveryEvent
from pixelmend.worker.commands import Command
from pixelmend.worker.memory import WorkerMemory
from pixelmend.worker.protocol import (
    MAX_LINE_BYTES,
    CommandResponse,
    Configure,
    FromWorker,
    Heartbeat,
    Manage,
    Memory,
    MemoryAlert,
    Models,
    Ready,
    Recovery,
    Shutdown,
    StartFailed,
    ToWorker,
    from_worker_codec,
    to_worker_codec,
)
from pixelmend.worker.spawning import Spawn, WorkerProcess, describe_exit, in_words, spawn
from pixelmend.worker.status import WorkerStatus
from pixelmend.worker.watchdog import VitalSigns, watch

FIRST_RESTART_DELAY_S = 0.1
LONGEST_RESTART_DELAY_S = 10.0
FRESH_HEARTBEAT_S = 5.0
"""A worker whose last heartbeat is older is not ready."""


class WorkerEvents(Protocol):
    """What uses the workers. It is called on the event loop, with the worker's index."""

    def on_worker_ready(self, index: int) -> None: ...

    def on_worker_message(self, index: int, message: FromWorker) -> None: ...

    def on_worker_lost(self, index: int, reason: str, *, by_itself: bool) -> None:
        """by_itself: it ended, or the system ended it; otherwise we did."""
        ...


class Supervisor:
    """All methods belong to one event loop."""

    def __init__(
        self,
        settings: Settings,
        log: Logger,
        on_alert: Callable[[Alert], None] = lambda _: None,
        spawn: Spawn = spawn,
        on_recovery: Callable[[RecoveryEvent], None] = lambda _: None,
    ) -> None:
        """on_alert: told of every alert about memory; must not block. spawn: starts a worker. on_recovery:
        told of every step of recovery; must not block.
        """
        self._on_recovery = on_recovery
        self._spawn = spawn
        self.device = settings.device
        self.memory = WorkerMemory(self.send, on_alert)
        self.model_loads: Counter[str] = Counter()
        """How often each model was opened, by all workers so far."""
        self._settings = settings
        self._management: Management | None = None
        self._log = log
        self._outgoing = to_worker_codec()
        self._incoming = from_worker_codec()
        self._events: WorkerEvents | None = None
        self._index = 0
        self._task: asyncio.Task[None] | None = None
        self._process: WorkerProcess | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._ready: Ready | None = None
        self._models: tuple[ModelDescription, ...] = ()
        self._arriving: tuple[ModelDescription, ...] = ()
        self._problem: str | None = "the worker is starting"
        self._heartbeat_s: float | None = None
        self._step_age_s = 0.0
        self._restarts = 0
        self._failed_starts = 0
        self._stopping = False
        self._kill_reason: str | None = None
        self._repeating: set[asyncio.Task[None]] = set()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def status(self) -> WorkerStatus:
        age = None if self._heartbeat_s is None else time.monotonic() - self._heartbeat_s
        alive = self._ready is not None and age is not None and age < FRESH_HEARTBEAT_S
        stuck = self._step_age_s > self._settings.stall_timeout_s
        return WorkerStatus(
            ready=alive and not stuck,
            heartbeat_age_s=age,
            step_age_s=self._step_age_s,
            device=self._ready.device if self._ready else None,
            models=self._models,
            problem=self._problem,
            restarts=self._restarts,
            failed_starts=self._failed_starts,
            room_bytes=self.memory.room_bytes,
        )

    def start(self, events: WorkerEvents, index: int) -> None:
        self._events, self._index = events, index
        self._task = asyncio.create_task(self._keep_alive(), name="supervisor")

    def send(self, message: ToWorker) -> bool:
        """False if there is no worker to take it (its loss is then reported as an event)."""
        if self._writer is None or self._ready is None:
            return False
        self._writer.write(self._outgoing.encode(message))
        return True

    def manage(self, management: Management) -> None:
        """Settings that count from now on, for this worker and those after it."""
        self._management = management
        self._settings = management.in_settings(self._settings)
        self.memory.set_monitoring(enabled=management.memory_monitoring_enabled)
        self.send(Manage(management))

    def use_profiles(self, profiles: Mapping[str, Profile]) -> None:
        """For workers that are started from now on."""
        self._settings = self._settings.model_copy(update={"profiles": dict(profiles)})

    async def stop(self, grace_s: float = 3.0) -> None:
        """End the worker: politely, then not."""
        self._stopping = True
        if self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.write(self._outgoing.encode(Shutdown()))
        process = self._process
        if process is not None and self._ready is None:
            process.kill()  # still loading: it has no work, and would take no message
        elif process is not None:
            try:
                await asyncio.wait_for(asyncio.to_thread(process.wait), grace_s)
            except TimeoutError:
                process.kill()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if process is not None:
            await asyncio.to_thread(process.wait)
        self.memory.worker_lost("the service stops")

    def abandon(self) -> None:
        """As `stop`, at once and without awaiting anything: while the interpreter exits, no thread can be
        started to wait in.
        """
        self._stopping = True
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._task is not None:
            self._task.cancel()

    def kill(self, reason: str) -> None:
        """End the worker at once; it is started again and its loss reported."""
        if self._process is not None and self._process.poll() is None:
            self._log.error("worker killed", worker_pid=self._process.pid, reason=reason)
            self._kill_reason = reason
            self._process.kill()

    async def _keep_alive(self) -> None:
        delay_s = FIRST_RESTART_DELAY_S
        while not self._stopping:
            was_ready = False
            try:
                was_ready = await self._run_once()
            except Exception as error:  # no process can be started, or a bug: the service goes on without one
                self._failed_starts += 1
                self._problem = f"no worker process can be started: {in_words(error)}"
                unexpected = None if isinstance(error, OSError) else error
                self._log.error(self._problem, exc_info=unexpected)
                if self._events is not None and not self._stopping:
                    self._events.on_worker_lost(self._index, self._problem, by_itself=False)
            delay_s = FIRST_RESTART_DELAY_S if was_ready else min(2 * delay_s, LONGEST_RESTART_DELAY_S)
            self._restarts += 1
            await asyncio.sleep(delay_s)

    async def _run_once(self) -> bool:
        """One worker's life. Returns whether it had been ready."""
        assert self._events is not None
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = await asyncio.to_thread(self._spawn, theirs)
            except BaseException:
                ours.close()
                raise
        reader, self._writer = await asyncio.open_connection(sock=ours, limit=MAX_LINE_BYTES)
        self._writer.write(self._outgoing.encode(Configure(self._settings)))
        self._kill_reason = None
        watchdog = asyncio.create_task(watch(self._settings, self._log, self._vital_signs, self.kill))
        try:
            # ConnectionError: a killed worker resets the socket if unread bytes were left.
            with contextlib.suppress(ConnectionError):
                while line := await reader.readline():
                    self._on_message(self._incoming.decode(line))
        except ValueError as error:  # a broken stream; its writer cannot be trusted any more
            self.kill(f"unreadable message: {error}")
        finally:
            watchdog.cancel()
            was_ready = self._ready is not None
            self._ready, self._heartbeat_s, self._step_age_s = None, None, 0.0
            self._models, self._arriving = (), ()
            self._writer.close()
            self._writer = None
            if self._process.poll() is None and not self._stopping:
                # It closed its end but lives on: nothing can be asked of it any more.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    await asyncio.to_thread(self._process.wait, 0.5)
                self._process.kill()
        code = await asyncio.to_thread(self._process.wait)
        self._failed_starts += not was_ready
        reason = self._kill_reason or describe_exit(code)
        self.memory.worker_lost(reason)
        if not self._stopping:
            if self._problem is None or was_ready:
                self._problem = f"the worker was lost: {reason}"
            self._log.error("worker lost", reason=reason, was_ready=was_ready)
            self._events.on_worker_lost(self._index, reason, by_itself=self._kill_reason is None)
        return was_ready

    def _on_message(self, message: FromWorker) -> None:
        assert self._events is not None
        self._heartbeat_s = time.monotonic()
        match message:
            case Heartbeat(step_age_s=age):
                self._step_age_s = age
            case Ready():
                self._ready, self._failed_starts = message, 0
                self._problem = message.default_model_error
                self._log.info("worker ready", device=message.device.name, restarts=self._restarts)
                if self._management is not None:  # it may have changed since the worker was configured
                    self.send(Manage(self._management))
                for command in self.memory.sticky_commands:
                    task = asyncio.create_task(self._repeat(command))
                    self._repeating.add(task)
                    task.add_done_callback(self._repeating.discard)
                self._events.on_worker_ready(self._index)
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
                self._problem = f"the worker cannot start: {reason}"
            case _:
                self._step_age_s = 0.0
                self._events.on_worker_message(self._index, message)

    async def _repeat(self, command: Command) -> None:
        """What a lost worker had been asked to keep."""
        try:
            await self.memory.execute(command)
        except PixelmendError as error:
            self._log.error("a command is not repeated", command=command.kind, reason=error.message)

    def _update_models(self, models: tuple[ModelDescription, ...]) -> None:
        before = {model.id for model in self._models if model.loaded}
        self.model_loads.update(model.id for model in models if model.loaded and model.id not in before)
        self._models = models

    def _vital_signs(self) -> VitalSigns:
        return VitalSigns(self._ready is not None, self._heartbeat_s, self._step_age_s)
