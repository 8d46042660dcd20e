"""Work that is done again and again beside the requests, and that is never missed in silence."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from pixelmend.core.telemetry import Logger


class Repeated:
    """Runs `work` every so often. Belongs to one event loop.

    A round that fails is a problem until one succeeds, and is tried again like any other.
    """

    def __init__(self, name: str, work: Callable[[], Awaitable[None]], period_s: float, log: Logger) -> None:
        self._name = name
        self._work = work
        self._period_s = period_s
        self._log = log
        self._task: asyncio.Task[None] | None = None
        self._stopped = False
        self._failure: str | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        self._stopped = True
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def problem(self) -> str | None:
        """Why what it does is not done now; None while all is well."""
        if self._task is not None and self._task.done() and not self._stopped:
            return f"the background task {self._name} ended"
        return self._failure

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._period_s)
            try:
                await self._work()
            except Exception as error:
                failure = f"the background task {self._name} failed: {type(error).__name__}"
                if self._failure != failure:  # once, not every few seconds
                    self._log.error(failure, exc_info=error)
                self._failure = failure
            else:
                self._failure = None
