"""How often, and after which pauses, what failed on its way to a service is tried again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pixelmend.client.problems import Unavailable
from pixelmend.core.errors import NoWorker

T = TypeVar("T")

MAX_FAILURES = 8
"""In a row, for one step; together they wait for about two minutes."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0


class Retries:
    """Counts the failures of one step since its last progress; a busy service is no failure."""

    def __init__(self) -> None:
        self._failures = 0

    def note_progress(self) -> None:
        self._failures = 0

    async def pause(self, error: Unavailable) -> None:
        """Wait as long as the service asks for, or longer each time. Raises NoWorker after MAX_FAILURES."""
        self._failures += not error.is_busy
        if self._failures >= MAX_FAILURES:
            raise NoWorker(f"given up after {self._failures} attempts: {error}") from error
        own_pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** max(0, self._failures - 1))
        await asyncio.sleep(error.pause_s or own_pause_s)


async def patiently(step: Callable[[], Awaitable[T]]) -> T:
    """What the step gives, tried again while it is Unavailable."""
    retries = Retries()
    while True:
        try:
            return await step()
        except Unavailable as error:
            await retries.pause(error)
