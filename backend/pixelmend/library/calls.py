"""One call of the library on its way: what an engine tells of it comes to the thread that waits for it."""

import queue
from collections.abc import Callable
from typing import Protocol

from pixelmend.core.error_codes import known_error
from pixelmend.core.errors import PixelmendError
from pixelmend.library.spool import CallFolder
from pixelmend.tasks.image import ImageReport, ImageTask

OnProgress = Callable[[float], None]
"""Called in the thread of the caller, with what is done, from 0.0 to 1.0."""


class Call:
    """`progress` and `end` are the engine's, from any thread; it calls `end` once. `wait` is the caller's."""

    def __init__(self, folder: CallFolder) -> None:
        self._folder = folder
        self._events: queue.SimpleQueue[float | ImageReport | PixelmendError] = queue.SimpleQueue()

    def progress(self, done_tiles: int, total_tiles: int) -> None:
        if total_tiles:
            self._events.put(done_tiles / total_tiles)

    def end(self, outcome: ImageReport | Exception) -> None:
        self._events.put(known_error(outcome) if isinstance(outcome, Exception) else outcome)
        self._folder.release()

    def wait(self, on_progress: OnProgress | None) -> ImageReport:
        """Raises what the call fails with, and what `on_progress` raises."""
        told = -1.0
        while True:
            event = self._events.get()
            if isinstance(event, PixelmendError):
                raise event
            fraction = event if isinstance(event, float) else 1.0
            if on_progress is not None and fraction > told:
                on_progress(fraction)
                told = fraction
            if not isinstance(event, float):
                return event


class Engine(Protocol):
    """Computes tasks, from file to file. Its methods may be called by any thread."""

    def submit(self, task: ImageTask, call: Call) -> None:
        """`call.end` is called once, after the task or when the engine is closed."""
        ...

    def cancel(self, task_id: str) -> None:
        """Its call ends soon; one that has ended already stays as it is."""
        ...

    def close(self) -> None:
        """Ends what is going on. Returns once no process and no thread of it is left."""
        ...

    def abandon(self) -> None:
        """As `close`, at once, and also while the interpreter exits or collects garbage."""
        ...
