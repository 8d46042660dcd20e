"""An engine in a process of its own: what kills it, memory that runs out for one, leaves the caller alive."""

import asyncio
import socket
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pixelmend.core.config import Settings
from pixelmend.core.error_codes import error_from_code
from pixelmend.core.errors import Cancelled, NoWorker, PixelmendError
from pixelmend.core.telemetry import Logger
from pixelmend.library.calls import Call
from pixelmend.models.hooks import Hooks
from pixelmend.tasks.image import ImageTask
from pixelmend.worker.protocol import Cancel, Done, Failed, FromWorker, Progress, Submit
from pixelmend.worker.spawning import WorkerProcess, spawn
from pixelmend.worker.supervisor import Supervisor

MAX_LOSSES = 2
"""A call that was in so many lost processes fails."""


@dataclass(slots=True)
class _Pending:
    task: ImageTask
    call: Call
    is_sent: bool = False
    is_cancelled: bool = False
    losses: int = 0


class ChildEngine:
    """Keeps one worker alive, with the service's own supervisor, on an event loop in a thread of its own."""

    def __init__(self, settings: Settings, log: Logger, hooks: Hooks) -> None:
        """Returns at once; calls wait for the worker. hooks: called in this process."""
        self._pending: dict[str, _Pending] = {}  # belongs to the loop
        # Guards what follows. Reentrant: a collection of garbage may close the engine at any point.
        self._guard = threading.RLock()
        self._is_closed = False
        self._process: WorkerProcess | None = None
        self._supervisor = Supervisor(settings, log, hooks.on_alert, self._spawn, hooks.on_recovery)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="pixelmend", daemon=True)
        self._thread.start()

    def submit(self, task: ImageTask, call: Call) -> None:
        with self._guard:
            if not self._is_closed:
                self._loop.call_soon_threadsafe(self._begin, _Pending(task, call))
                return
        call.end(_closed())

    def cancel(self, task_id: str) -> None:
        with self._guard:
            if not self._is_closed:
                self._loop.call_soon_threadsafe(self._cancel, task_id)

    def close(self) -> None:
        if self._begin_closing():
            try:
                asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
            finally:
                self._leave()

    def abandon(self) -> None:
        if self._begin_closing():
            self._leave()

    def _begin_closing(self) -> bool:
        """False if it has begun before."""
        with self._guard:
            was_closed, self._is_closed = self._is_closed, True
        return not was_closed

    def _leave(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        if threading.current_thread() is not self._thread:  # garbage is collected in any thread
            self._thread.join()

    # --- on the loop's thread -------------------------------------------------------------------------

    def _run(self) -> None:
        self._loop.call_soon(self._supervisor.start, self, 0)
        try:
            self._loop.run_forever()
            self._supervisor.abandon()
            self._loop.run_until_complete(_end_of_tasks())
        finally:
            self._fail(list(self._pending.values()), _closed())
            if self._process is not None:  # one that the supervisor was not told of yet
                self._process.kill()
                self._process.wait()
            self._loop.close()

    async def _stop(self) -> None:
        await self._supervisor.stop()
        await self._loop.shutdown_default_executor()

    def _spawn(self, end: socket.socket) -> WorkerProcess:
        with self._guard:  # or a process could be started after the last one was ended
            if self._is_closed:
                raise OSError("the engine is closed")
            self._process = spawn(end)
            return self._process

    def _begin(self, pending: _Pending) -> None:
        self._pending[pending.task.id] = pending
        self._send(pending)

    def _send(self, pending: _Pending) -> None:
        pending.is_sent = self._supervisor.send(Submit(pending.task))

    def _cancel(self, task_id: str) -> None:
        pending = self._pending.get(task_id)
        if pending is None:
            return
        pending.is_cancelled = True
        if not (pending.is_sent and self._supervisor.send(Cancel(task_id))):
            self._fail([pending], Cancelled("the call was cancelled"))

    def _fail(self, failed: Iterable[_Pending], error: PixelmendError) -> None:
        for pending in failed:
            self._pending.pop(pending.task.id, None)
            pending.call.end(error)

    # --- events of the supervisor ---------------------------------------------------------------------

    def on_worker_ready(self, index: int) -> None:
        for pending in self._pending.values():
            self._send(pending)

    def on_worker_message(self, index: int, message: FromWorker) -> None:
        match message:
            case Progress(task_id=task_id, done_tiles=done, total_tiles=total):
                if task_id in self._pending:
                    self._pending[task_id].call.progress(done, total)
            case Done(task_id=task_id, report=report):
                if task_id in self._pending:
                    self._pending.pop(task_id).call.end(report)
            case Failed(task_id=task_id, code=code, message=text):
                if task_id in self._pending:
                    self._fail([self._pending[task_id]], error_from_code(code, text))
            case _:
                pass  # the supervisor has used the others

    def on_worker_lost(self, index: int, reason: str, *, by_itself: bool, crashed: bool = False) -> None:
        """What was in the worker is tried once more in the next one; on the CPU if it has crashed."""
        status = self._supervisor.status()
        if status.failed_starts:
            self._fail(list(self._pending.values()), NoWorker(status.problem or reason))
            return
        for pending in list(self._pending.values()):
            if pending.is_sent and crashed:
                pending.task = replace(pending.task, on_cpu_because=f"its worker {reason}")
            pending.losses += pending.is_sent
            pending.is_sent = False
            if pending.is_cancelled:
                self._fail([pending], Cancelled("the call was cancelled"))
            elif pending.losses >= MAX_LOSSES:
                times = f"{pending.losses} times during this call"
                self._fail([pending], NoWorker(f"the engine's process was lost {times}: {reason}"))


async def _end_of_tasks() -> None:
    """Whatever the supervisor had begun."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)  # transports close a moment later


def _closed() -> PixelmendError:
    return Cancelled("the engine was closed before the call had ended")
