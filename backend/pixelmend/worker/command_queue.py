"""What operators ask of a worker, on its way there: the same thing once, a few things at a time."""

import asyncio
import itertools
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from pixelmend.core.errors import NoWorker, QueueFull, error_from_code
from pixelmend.worker.protocol import Command, CommandRequest, CommandResponse, ToWorker

AT_A_TIME = 16
"""Commands that a worker has at one time, each on a thread; some wait there for a model's users."""
MAX_COMMANDS = 64
"""Commands that are not done, those that a worker has included."""


@dataclass(eq=False, slots=True)
class _Asked:
    """waiters: requests that want to hear of its end. sent: a worker has it, and does it in any case."""

    command: Command
    done: asyncio.Future[None]
    waiters: int = 0
    sent: bool = False


@dataclass(eq=False, slots=True)
class CommandQueue:
    """Belongs to one event loop.

    send: False if no worker hears it. on_done: told of what has happened, whether or not it is waited for.
    """

    send: Callable[[ToWorker], bool]
    on_done: Callable[[Command], None]
    _asked: OrderedDict[str, _Asked] = field(default_factory=OrderedDict)
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def execute(self, command: Command) -> None:
        """Have it done, or join a request for the same; returns once it has happened.

        A command whose requests have all gone before a worker had it is dropped. Raises NoWorker, QueueFull,
        and why the worker could not.
        """
        asked = self._latest_about(command)
        if asked is None or asked.command != command:
            asked = self._enter(command)
        asked.waiters += 1
        try:
            await asyncio.shield(asked.done)
        finally:
            asked.waiters -= 1
            if not asked.waiters and not asked.sent:
                self._forget(asked)

    def answered(self, answer: CommandResponse) -> None:
        asked = self._asked.pop(answer.request_id, None)
        if asked is None:
            return
        if answer.problem is None:
            self.on_done(asked.command)
            _settle(asked, None)
        else:
            _settle(asked, error_from_code(answer.problem.code, answer.problem.message))
        self._send_next()

    def worker_lost(self, reason: str) -> None:
        """It answers nothing any more."""
        lost, self._asked = self._asked, OrderedDict()
        for asked in lost.values():
            _settle(asked, NoWorker(f"the worker was lost meanwhile: {reason}"))

    def _latest_about(self, command: Command) -> _Asked | None:
        # Only the latest may be joined: what was asked before it has been overtaken.
        return next(
            (a for a in reversed(self._asked.values()) if _subject(a.command) == _subject(command)), None
        )

    def _enter(self, command: Command) -> _Asked:
        if len(self._asked) >= MAX_COMMANDS:
            raise QueueFull(
                f"{len(self._asked)} commands to the worker are not done yet; {MAX_COMMANDS} can wait"
            )
        asked = _Asked(command, asyncio.get_running_loop().create_future())
        request_id = str(next(self._ids))
        self._asked[request_id] = asked
        self._send_next()
        return asked

    def _send_next(self) -> None:
        for request_id, asked in list(self._asked.items())[:AT_A_TIME]:
            if not asked.sent:
                asked.sent = self.send(CommandRequest(request_id, asked.command))
                if not asked.sent:
                    del self._asked[request_id]
                    _settle(asked, NoWorker("no engine worker is ready to hear it"))

    def _forget(self, asked: _Asked) -> None:
        for request_id, other in list(self._asked.items()):
            if other is asked:
                del self._asked[request_id]


def _subject(command: Command) -> object:
    """What it is about: a model, a profile, or everything."""
    return getattr(command, "model", None), getattr(command, "name", None)


def _settle(asked: _Asked, error: Exception | None) -> None:
    if asked.done.done():
        return
    if error is None:
        asked.done.set_result(None)
    else:
        asked.done.set_exception(error)
        asked.done.exception()  # retrieved, also if no client waits any more
