"""Keeps one engine worker alive: starts it, listens to it, kills it when it hangs, starts it again."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from pixelmend.config import CONFIG_VARIABLE, Settings
from pixelmend.errors import PixelmendError
from pixelmend.serving.memory import WorkerMemory
from pixelmend.serving.transport import (
    MAX_LINE_BYTES,
    Answer,
    Command,
    Configure,
    FromWorker,
    Heartbeat,
    Memory,
    MemoryAlert,
    Models,
    Ready,
    Shutdown,
    StartFailed,
    ToWorker,
    from_worker_codec,
    to_worker_codec,
)
from pixelmend.tasks import Alert, DeviceDescription, ModelDescription
from pixelmend.telemetry import Logger

FIRST_RESTART_DELAY_S = 0.1
LONGEST_RESTART_DELAY_S = 10.0
LIVE_BEAT_S = 5.0
"""A worker whose last heartbeat is older is not ready."""


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """What is known of the worker right now. `beat_age_s` is None before its first sign of life.

    failed_starts: workers in a row that ended before they were ready.
    """

    ready: bool
    beat_age_s: float | None
    step_age_s: float
    device: DeviceDescription | None
    models: tuple[ModelDescription, ...]
    problem: str | None
    restarts: int
    failed_starts: int
    room_bytes: int | None = None
    """For models, before the ceiling; None until it was measured."""


class WorkerEvents(Protocol):
    """Who uses the worker; called on the event loop."""

    def worker_ready(self) -> None: ...

    def worker_said(self, message: FromWorker) -> None: ...

    def worker_lost(self, reason: str) -> None: ...


class Supervisor:
    """All methods belong to one event loop."""

    def __init__(
        self, settings: Settings, log: Logger, on_alert: Callable[[Alert], None] = lambda _: None
    ) -> None:
        """on_alert: told of every alert about memory; must not block."""
        self.memory = WorkerMemory(self.send, on_alert)
        self.model_loads: Counter[str] = Counter()
        """How often each model was opened, by all workers so far."""
        self._settings = settings
        self._log = log
        self._outgoing = to_worker_codec()
        self._incoming = from_worker_codec()
        self._events: WorkerEvents | None = None
        self._task: asyncio.Task[None] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._ready: Ready | None = None
        self._models: tuple[ModelDescription, ...] = ()
        self._arriving: tuple[ModelDescription, ...] = ()
        self._problem: str | None = "the worker is starting"
        self._beat_s: float | None = None
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
        age = None if self._beat_s is None else time.monotonic() - self._beat_s
        alive = self._ready is not None and age is not None and age < LIVE_BEAT_S
        stuck = self._step_age_s > self._settings.stall_timeout_s
        return WorkerStatus(
            ready=alive and not stuck,
            beat_age_s=age,
            step_age_s=self._step_age_s,
            device=self._ready.device if self._ready else None,
            models=self._models,
            problem=self._problem,
            restarts=self._restarts,
            failed_starts=self._failed_starts,
            room_bytes=self.memory.room_bytes,
        )

    def start(self, events: WorkerEvents) -> None:
        self._events = events
        self._task = asyncio.create_task(self._keep_alive(), name="supervisor")

    def send(self, message: ToWorker) -> bool:
        """False where there is no worker to hear it (its loss is then reported as an event)."""
        if self._writer is None or self._ready is None:
            return False
        self._writer.write(self._outgoing.encode(message))
        return True

    async def stop(self, grace_s: float = 3.0) -> None:
        """End the worker: politely, then not."""
        self._stopping = True
        if self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.write(self._outgoing.encode(Shutdown()))
        process = self._process
        if process is not None and self._ready is None:
            process.kill()  # still loading: it has no work, and would not hear
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

    def kill(self, reason: str) -> None:
        """End the worker at once; it is started again and its loss reported."""
        if self._process is not None and self._process.poll() is None:
            self._log.error("worker killed", worker_pid=self._process.pid, reason=reason)
            self._kill_reason = reason
            self._process.kill()

    async def _keep_alive(self) -> None:
        delay_s = FIRST_RESTART_DELAY_S
        while not self._stopping:
            try:
                was_ready = await self._run_once()
            except Exception as error:  # no process, descriptor or memory for one, say
                was_ready = False
                self._not_started(error)
            delay_s = FIRST_RESTART_DELAY_S if was_ready else min(2 * delay_s, LONGEST_RESTART_DELAY_S)
            self._restarts += 1
            await asyncio.sleep(delay_s)

    async def _run_once(self) -> bool:
        """One worker's life. Returns whether it had been ready."""
        assert self._events is not None
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = await asyncio.to_thread(_spawn, theirs)
        except BaseException:
            ours.close()
            raise
        reader, self._writer = await asyncio.open_connection(sock=ours, limit=MAX_LINE_BYTES)
        self._writer.write(self._outgoing.encode(Configure(self._settings)))
        self._kill_reason = None
        started_s = time.monotonic()
        watchdog = asyncio.create_task(self._watch(started_s))
        try:
            # ConnectionError: a killed worker resets the socket where unread bytes were left.
            with contextlib.suppress(ConnectionError):
                while line := await reader.readline():
                    self._hear(self._incoming.decode(line))
        except ValueError as error:  # a broken stream; whoever wrote it cannot be trusted any more
            self.kill(f"unreadable message: {error}")
        finally:
            watchdog.cancel()
            was_ready = self._ready is not None
            self._ready, self._beat_s, self._step_age_s = None, None, 0.0
            self._models, self._arriving = (), ()
            self._writer.close()
            self._writer = None
            if self._process.poll() is None and not self._stopping:
                # It closed its end but lives on: nothing can be asked of it any more.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    await asyncio.to_thread(self._process.wait, 0.5)
                self._process.kill()
        code = await asyncio.to_thread(self._process.wait)
        self._failed_starts = 0 if was_ready else self._failed_starts + 1
        reason = self._kill_reason or _describe_exit(code)
        self.memory.worker_lost(reason)
        if not self._stopping:
            if self._problem is None or was_ready:
                self._problem = f"the worker was lost: {reason}"
            self._log.error("worker lost", reason=reason, was_ready=was_ready)
            self._events.worker_lost(reason)
        return was_ready

    def _not_started(self, error: Exception) -> None:
        """Counted and told as a worker that ended before it was ready."""
        assert self._events is not None
        why = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        self._failed_starts += 1
        self._problem = f"no worker process can be started: {why}"
        unexpected = None if isinstance(error, OSError) else error
        self._log.error("no worker process can be started", reason=why, exc_info=unexpected)
        self._events.worker_lost(self._problem)

    def _hear(self, message: FromWorker) -> None:
        assert self._events is not None
        self._beat_s = time.monotonic()
        match message:
            case Heartbeat(step_age_s=age):
                self._step_age_s = age
            case Ready():
                self._ready = message
                self._problem = message.default_model_error
                self._log.info("worker ready", device=message.device.name, restarts=self._restarts)
                for command in self.memory.lasting:
                    task = asyncio.create_task(self._repeat(command))
                    self._repeating.add(task)
                    task.add_done_callback(self._repeating.discard)
                self._events.worker_ready()
            case Models(models=models, last=last):
                self._arriving += models
                if last:
                    self._know(self._arriving)
                    self._arriving = ()
            case Memory() | MemoryAlert() | Answer():  # from other threads than the device loop's
                self.memory.heard(message)
            case StartFailed(message=reason):
                self._problem = f"the worker cannot start: {reason}"
            case _:
                self._step_age_s = 0.0
                self._events.worker_said(message)

    async def _repeat(self, command: Command) -> None:
        """What a lost worker had been asked to keep."""
        try:
            await self.memory.administer(command)
        except PixelmendError as error:
            self._log.error("a command is not repeated", command=command.kind, reason=error.message)

    def _know(self, models: tuple[ModelDescription, ...]) -> None:
        before = {model.id for model in self._models if model.loaded}
        self.model_loads.update(model.id for model in models if model.loaded and model.id not in before)
        self._models = models

    async def _watch(self, started_s: float) -> None:
        settings = self._settings
        while True:
            await asyncio.sleep(0.5)
            now = time.monotonic()
            if self._ready is None:
                if now - started_s > settings.worker_start_timeout_s:
                    self.kill(f"not ready after worker_start_timeout_s={settings.worker_start_timeout_s:g}")
            elif self._beat_s is not None and now - self._beat_s > settings.heartbeat_timeout_s:
                self.kill(f"silent for more than heartbeat_timeout_s={settings.heartbeat_timeout_s:g}")
            elif self._step_age_s > settings.stall_timeout_s:
                self.kill(f"stuck in one step for more than stall_timeout_s={settings.stall_timeout_s:g}")


def _spawn(end: socket.socket) -> subprocess.Popen[bytes]:
    # A fresh interpreter, so that nothing of this process (threads, locks, an event loop) is inherited;
    # a session of its own, so that a terminal's Ctrl-C reaches the API process alone.
    return subprocess.Popen(
        [sys.executable, "-m", "pixelmend.serving.worker", str(end.fileno())],
        pass_fds=[end.fileno()],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        env=_environment(os.environ),
    )


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    # Not the callers' keys nor the webhook's: this process decodes what strangers send. No configuration
    # file: the worker is told its settings, and a file spoilt meanwhile must not keep it from starting.
    secret = ("PIXELMEND_API_KEYS", "PIXELMEND_ALERT_WEBHOOK")
    told = {k: v for k, v in ours.items() if k not in secret} | {"PYTHONUNBUFFERED": "1", CONFIG_VARIABLE: ""}
    # Its threads wait for one another on a busy machine: docs/adr/0014-inpainting-fill.md.
    return {"OPENBLAS_NUM_THREADS": "1"} | told


def _describe_exit(code: int) -> str:
    if code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return f"ended with status {code}"
