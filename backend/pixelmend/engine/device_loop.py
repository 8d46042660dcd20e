"""The loop of a worker's main thread, which owns the tile scheduler: other threads hand it jobs."""

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from pixelmend.core.errors import Cancelled
from pixelmend.engine.recovery.runner import RunResult
from pixelmend.engine.tile_job import TileJob
from pixelmend.engine.tile_scheduler import DEFAULT_BACKGROUND_SHARE, TileScheduler


class DeviceLoop:
    """`run` is called by one thread; everything else by any."""

    def __init__(
        self, batch_tiles: int, max_in_flight: int, background_share: float = DEFAULT_BACKGROUND_SHARE
    ) -> None:
        self._scheduler = TileScheduler(
            batch_tiles,
            max_in_flight=max_in_flight,
            background_share=background_share,
            admit=self._do_requests,
            wake=self.wake,
        )
        self._requests: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._last_round_s = time.monotonic()
        self._is_over = False

    @property
    def step_age_s(self) -> float:
        """Seconds since the loop last came round."""
        return time.monotonic() - self._last_round_s

    def add(self, job: TileJob, cancelled: Callable[[], bool]) -> None:
        """Compute the job's tiles, unless it was cancelled before its turn came."""

        def add() -> None:
            if cancelled():
                job.on_failed(job, Cancelled(f"job {job.id} was cancelled"))
            else:
                self._scheduler.add(job)

        self._requests.put(add)
        if self._is_over:
            self.fail_all()

    def cancel(self, task_id: str) -> None:
        """End a task's jobs within a tile; they fail with Cancelled. Does nothing if none is here."""

        def cancel() -> None:
            for job in self._scheduler.remove(task_id):
                job.on_failed(job, Cancelled(f"job {task_id} was cancelled"))

        self._requests.put(cancel)

    def run_on_device(self, work: Callable[[], RunResult]) -> RunResult:
        """Run other work on the device when it is free, and wait for it."""
        return self._scheduler.run_on_device(work)

    def wake(self) -> None:
        """Let the loop look at once whether there is something to do."""
        self._requests.put(lambda: None)

    def run(self, stop: threading.Event, poll_s: float = 0.5) -> None:
        """Until `stop` is set. `fail_all` then ends the jobs that are not finished."""
        while not stop.is_set():
            self._last_round_s = time.monotonic()
            if not self._scheduler.has_work:
                with suppress(queue.Empty):
                    self._requests.get(timeout=poll_s)()
            self._do_requests()
            self._scheduler.step()
        self._scheduler.close()
        self._is_over = True

    def fail_all(self) -> None:
        """After `run`: jobs whose tiles are not computed any more fail with Cancelled."""
        self._do_requests()
        for job in self._scheduler.remove_all():
            job.on_failed(job, Cancelled("the engine was stopped"))

    def _do_requests(self) -> None:
        with suppress(queue.Empty):
            while True:
                self._requests.get_nowait()()
