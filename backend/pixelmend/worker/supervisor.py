"""Keeps one engine worker alive: starts it, listens to it, kills it when it hangs, starts it again."""

import asyncio
import contextlib
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping

from pixelmend.core.config import Settings
from pixelmend.core.management import Management
from pixelmend.core.profile import Profile
from pixelmend.core.telemetry import Logger
from pixelmend.models.memory import Alert
from pixelmend.models.recovery import RecoveryEvent
from pixelmend.worker.memory import WorkerMemory
from pixelmend.worker.protocol import (
    Configure,
    FromWorker,
    Shutdown,
    ToWorker,
    from_worker_codec,
    to_worker_codec,
)
from pixelmend.worker.spawning import (
    Spawn,
    WorkerProcess,
    describe_exit,
    has_crashed,
    in_words,
    spawn,
    start_connected,
)
from pixelmend.worker.state import WorkerEvents, WorkerState
from pixelmend.worker.status import WorkerStatus
from pixelmend.worker.watchdog import watch

FIRST_RESTART_DELAY_S = 0.1
LONGEST_RESTART_DELAY_S = 10.0


class Supervisor:
    """All methods belong to one event loop."""

    def __init__(
        self,
        settings: Settings,
        log: Logger,
        on_alert: Callable[[Alert], None] = lambda _: None,
        spawn: Spawn = spawn,
        on_recovery: Callable[[RecoveryEvent], None] = lambda _: None,
        tap: Callable[[FromWorker], None] = lambda _: None,
    ) -> None:
        """on_alert: told of every alert about memory; must not block. spawn: starts a worker. on_recovery:
        told of every step of recovery; must not block. tap: told of every message, before it counts.
        """
        self._spawn = spawn
        self.device = settings.device
        self.state = WorkerState(settings, log, self.send, on_alert, on_recovery)
        self._tap = tap
        self._settings = settings
        self._log = log
        self._outgoing = to_worker_codec()
        self._incoming = from_worker_codec()
        self._events: WorkerEvents | None = None
        self._index = 0
        self._task: asyncio.Task[None] | None = None
        self._process: WorkerProcess | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._stopping = False
        self._kill_reason: str | None = None

    @property
    def memory(self) -> WorkerMemory:
        return self.state.memory

    @property
    def model_loads(self) -> Counter[str]:
        return self.state.model_loads

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def status(self) -> WorkerStatus:
        return self.state.status()

    def start(self, events: WorkerEvents, index: int) -> None:
        self._events, self._index = events, index
        self._task = asyncio.create_task(self._keep_alive(), name="supervisor")

    def send(self, message: ToWorker) -> bool:
        """False if there is no worker to take it (its loss is then reported as an event)."""
        if self._writer is None or self.state.ready is None:
            return False
        self._writer.write(self._outgoing.encode(message))
        return True

    def manage(self, management: Management) -> None:
        """Settings that count from now on, for this worker and those after it."""
        self._settings = management.in_settings(self._settings)
        self.state.manage(management)

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
        if process is not None and self.state.ready is None:
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
                self.state.failed_starts += 1
                self.state.problem = f"no worker process can be started: {in_words(error)}"
                unexpected = None if isinstance(error, OSError) else error
                self._log.error(self.state.problem, exc_info=unexpected)
                if self._events is not None and not self._stopping:
                    self._events.on_worker_lost(self._index, self.state.problem, by_itself=False)
            delay_s = FIRST_RESTART_DELAY_S if was_ready else min(2 * delay_s, LONGEST_RESTART_DELAY_S)
            self.state.restarts += 1
            await asyncio.sleep(delay_s)

    async def _run_once(self) -> bool:
        """One worker's life. Returns whether it had been ready."""
        assert self._events is not None
        self._process, reader, self._writer = await start_connected(self._spawn)
        self._writer.write(self._outgoing.encode(Configure(self._settings)))
        self._kill_reason = None
        watchdog = asyncio.create_task(
            watch(self._settings, self._log, lambda: self.state.vital_signs, self.kill)
        )
        try:
            # ConnectionError: a killed worker resets the socket if unread bytes were left.
            with contextlib.suppress(ConnectionError):
                while line := await reader.readline():
                    message = self._incoming.decode(line)
                    self._tap(message)
                    self.state.on_message(message, self._events, self._index)
        except ValueError as error:  # a broken stream; its writer cannot be trusted any more
            self.kill(f"unreadable message: {error}")
        finally:
            watchdog.cancel()
            was_ready = self.state.silent()
            self._writer.close()
            self._writer = None
            if self._process.poll() is None and not self._stopping:
                # It closed its end but lives on: nothing can be asked of it any more.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    await asyncio.to_thread(self._process.wait, 0.5)
                self._process.kill()
        code = await asyncio.to_thread(self._process.wait)
        self.state.failed_starts += not was_ready
        reason = self._kill_reason or describe_exit(code)
        self.memory.worker_lost(reason)
        if not self._stopping:
            if self.state.problem is None or was_ready:
                self.state.problem = f"the worker was lost: {reason}"
            self._log.error("worker lost", reason=reason, was_ready=was_ready)
            by_itself = self._kill_reason is None
            self._events.on_worker_lost(
                self._index, reason, by_itself=by_itself, crashed=by_itself and has_crashed(code)
            )
        return was_ready
