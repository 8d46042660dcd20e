"""The engine in a process that has no service around it: one task at a time, from file to file."""

import threading
from concurrent.futures import Future

from pixelmend.core.config import Settings
from pixelmend.core.errors import known_error
from pixelmend.core.telemetry import Logger
from pixelmend.engine.device import Device, choose_device
from pixelmend.engine.factory import build_manager, build_pipeline
from pixelmend.tasks.image import ImageReport, ImageTask


class LoneEngine:
    """Owns the device of `settings`, and keeps models open between tasks. Used by several threads."""

    def __init__(self, settings: Settings, log: Logger) -> None:
        """Raises what the device is refused for."""
        self.device: Device = choose_device(settings.device)
        self._results: dict[str, Future[ImageReport]] = {}
        manager = build_manager(settings, self.device, log)
        self._pipeline = build_pipeline(settings, manager, self)
        self._stop = threading.Event()
        self._loop = threading.Thread(
            target=self._pipeline.run, args=(self._stop,), name="device", daemon=True
        )
        self._loop.start()

    def run(self, task: ImageTask) -> ImageReport:
        """Returns when the result lies at its path. Raises whatever the task fails with."""
        result: Future[ImageReport] = Future()
        self._results[task.id] = result
        try:
            self._pipeline.submit(task)
            return result.result()
        finally:
            del self._results[task.id]

    def close(self) -> None:
        self._stop.set()
        self._loop.join()

    # --- what the pipeline tells ---------------------------------------------------------------------------

    def progress(self, task_id: str, done_tiles: int, total_tiles: int) -> None:
        pass  # whoever waits in `run` cannot be told

    def done(self, task_id: str, report: ImageReport) -> None:
        self._results[task_id].set_result(report)

    def failed(self, task_id: str, error: Exception) -> None:
        self._results[task_id].set_exception(known_error(error))

    def models_changed(self) -> None:
        pass
