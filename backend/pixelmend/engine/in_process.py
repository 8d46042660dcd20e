"""The engine in a process that has no service around it: one task at a time, from file to file."""

import threading
from concurrent.futures import Future

from pixelmend.core.config import Settings
from pixelmend.core.errors import known_error
from pixelmend.core.telemetry import Logger
from pixelmend.engine.devices.device import Device, choose_device
from pixelmend.engine.factory import build_model_cache, build_pipeline
from pixelmend.tasks.image import ImageReport, ImageTask


class InProcessEngine:
    """Owns the device of `settings`, and keeps models open between tasks. Used by several threads."""

    def __init__(self, settings: Settings, log: Logger) -> None:
        """Raises InvalidParameter if the device is not there."""
        self.device: Device = choose_device(settings.device)
        self._results: dict[str, Future[ImageReport]] = {}
        cache = build_model_cache(settings, self.device, log)
        self._pipeline = build_pipeline(settings, cache, self)
        self._stop = threading.Event()
        self._loop = threading.Thread(
            target=self._pipeline.run, args=(self._stop,), name="device", daemon=True
        )
        self._loop.start()

    def run(self, task: ImageTask) -> ImageReport:
        """Returns when the result is at its path. Raises what the task fails with."""
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

    # --- called by the pipeline -----------------------------------------------------------------------

    def progress(self, task_id: str, done_tiles: int, total_tiles: int) -> None:
        pass  # `run` reports no progress

    def done(self, task_id: str, report: ImageReport) -> None:
        self._results[task_id].set_result(report)

    def failed(self, task_id: str, error: Exception) -> None:
        self._results[task_id].set_exception(known_error(error))

    def models_changed(self) -> None:
        pass
