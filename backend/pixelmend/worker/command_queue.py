"""What operators ask of a worker, on its way there: the same thing once, a few things at a time."""

import asyncio
import itertools
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from pixelmend.core.error_codes import error_from_code
from pixelmend.core.errors import NoWorker, QueueFull
from pixelmend.models.memory import FreedMemory
from pixelmend.worker.commands import Command
from pixelmend.worker.protocol import CommandRequest, CommandResponse, ToWorker

AT_A_TIME = 16
"""Commands that a worker has at one time, each on a thread; some wait there for a model's users."""
MAX_COMMANDS = 64
"""Commands that are not done, those that a worker has included."""


@dataclass(eq=False, slots=True)
class _Pending:
    """waiters: requests that want to hear of its end. sent: a worker has it, and does it in any case."""

    command: Command
    done: asyncio.Future[FreedMemory | None]
    waiters: int = 0
    sent: bool = False


@dataclass(eq=False, slots=True)
class CommandQueue:
    """Belongs to one event loop.

    send: False if no worker hears it. on_done: told of what has happened, whether or not it is waited for.
    """

    send: Callable[[ToWorker], bool]
    on_done: Callable[[Command, FreedMemory | None], None]
    _pending: OrderedDict[str, _Pending] = field(default_factory=OrderedDict)
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def execute(self, command: Command) -> FreedMemory | None:
        """Have it done, or join a request for the same; returns once it has happened, with what it freed.

        A command whose requests have all gone before a worker had it is dropped. Raises NoWorker, QueueFull,
        and why the worker could not.
        """
        pending = self._latest_about(command)
        if pending is None or pending.command != command:
            pending = self._enter(command)
        pending.waiters += 1
        try:
            return await asyncio.shield(pending.done)
        finally:
            pending.waiters -= 1
            if not pending.waiters and not pending.sent:
                self._forget(pending)

    def on_response(self, response: CommandResponse) -> None:
        pending = self._pending.pop(response.request_id, None)
        if pending is None:
            return
        if response.problem is None:
            self.on_done(pending.command, response.freed)
            _settle(pending, response.freed)
        else:
            _settle(pending, error_from_code(response.problem.code, response.problem.message))
        self._send_next()

    def worker_lost(self, reason: str) -> None:
        """It answers nothing any more."""
        lost, self._pending = self._pending, OrderedDict()
        for pending in lost.values():
            _settle(pending, NoWorker(f"the worker was lost meanwhile: {reason}"))

    def _latest_about(self, command: Command) -> _Pending | None:
        # Only the latest may be joined: what was pending before it has been overtaken.
        return next((a for a in reversed(self._pending.values()) if _concerns(a.command, command)), None)

    def _enter(self, command: Command) -> _Pending:
        if len(self._pending) >= MAX_COMMANDS:
            raise QueueFull(
                f"{len(self._pending)} commands to the worker are not done yet; {MAX_COMMANDS} can wait"
            )
        pending = _Pending(command, asyncio.get_running_loop().create_future())
        request_id = str(next(self._ids))
        self._pending[request_id] = pending
        self._send_next()
        return pending

    def _send_next(self) -> None:
        for request_id, pending in list(self._pending.items())[:AT_A_TIME]:
            if not pending.sent:
                pending.sent = self.send(CommandRequest(request_id, pending.command))
                if not pending.sent:
                    del self._pending[request_id]
                    _settle(pending, NoWorker("no engine worker is ready to hear it"))

    def _forget(self, pending: _Pending) -> None:
        for request_id, other in list(self._pending.items()):
            if other is pending:
                del self._pending[request_id]


def _subject(command: Command) -> tuple[object, object] | None:
    """What it is about: a model, a profile, or everything (None)."""
    subject = getattr(command, "model", None), getattr(command, "name", None)
    return None if subject == (None, None) else subject


def _concerns(first: Command, second: Command) -> bool:
    one, other = _subject(first), _subject(second)
    return one is None or other is None or one == other


def _settle(pending: _Pending, outcome: FreedMemory | Exception | None) -> None:
    if pending.done.done():
        return
    if isinstance(outcome, Exception):
        pending.done.set_exception(outcome)
        pending.done.exception()  # retrieved, also if no client waits any more
    else:
        pending.done.set_result(outcome)
