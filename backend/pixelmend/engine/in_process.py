"""The engine in a process that has no service around it: from file to file."""

import threading
from collections.abc import Iterable
from concurrent.futures import Future
from typing import Protocol

from pixelmend.core.config import Settings
from pixelmend.core.error_codes import known_error
from pixelmend.core.errors import Cancelled
from pixelmend.core.telemetry import Logger
from pixelmend.engine.devices.device import Device, choose_device
from pixelmend.engine.devices.memory import HostMemory
from pixelmend.engine.factory import build_model_cache, build_pipeline, open_memory_profiles
from pixelmend.engine.management import monitored_rules
from pixelmend.engine.monitoring.monitor import MemoryMonitor
from pixelmend.engine.monitoring.sensors import sensors_of
from pixelmend.imaging.formats import format_registry
from pixelmend.imaging.formats.bare_tiff import BARE_TIFF
from pixelmend.models.hooks import Hooks, load_hooks
from pixelmend.models.memory import Alert, MemorySample
from pixelmend.tasks.image import ImageReport, ImageTask


class TaskListener(Protocol):
    """Told of one task, by any thread; `end` is called once."""

    def progress(self, done_tiles: int, total_tiles: int) -> None: ...

    def end(self, outcome: ImageReport | Exception) -> None: ...


class InProcessEngine:
    """Owns the device of `settings`, and keeps models open between tasks. Used by several threads."""

    def __init__(self, settings: Settings, log: Logger, hooks: Iterable[object] = ()) -> None:
        """hooks: beside those of the settings. Raises InvalidParameter if the device, or a hook that is
        named, is not there.
        """
        self.device: Device = choose_device(settings.device)
        self._listeners: dict[str, TaskListener] = {}
        self._hooks = Hooks([*load_hooks(settings.hooks, log), *hooks], log)
        learned = open_memory_profiles(settings, self.device, log)
        cache = build_model_cache(settings, self.device, log, learned, self._hooks)
        interval_s = settings.memory_monitoring_interval
        self._monitor = MemoryMonitor(
            cache,
            learned,
            sensors_of(self.device),
            HostMemory(),
            monitored_rules(settings),
            interval_s,
            self,
            log,
        )
        self._pipeline = build_pipeline(settings, cache, self, formats=format_registry([BARE_TIFF]))
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=run, args=(self._stop,), name=name, daemon=True)
            for name, run in (("device", self._pipeline.run), ("monitor", self._monitor.run))
        ]
        for thread in self._threads:
            thread.start()

    def run(self, task: ImageTask) -> ImageReport:
        """Returns when the result is at its path. Raises what the task fails with."""
        result = _Result()
        self.submit(task, result)
        return result.future.result()

    def submit(self, task: ImageTask, listener: TaskListener) -> None:
        self._listeners[task.id] = listener
        if self._stop.is_set():
            self._end(task.id, _closed())
        else:
            self._pipeline.submit(task)

    def cancel(self, task_id: str) -> None:
        """It fails soon, with Cancelled; one that has ended already stays as it is."""
        if task_id in self._listeners:
            self._pipeline.cancel(task_id)

    def close(self) -> None:
        """Returns when nothing is computed any more; tasks that had not ended fail with Cancelled."""
        self._stop.set()
        self._pipeline.wake()
        self._monitor.wake()
        for thread in self._threads:
            if thread is not threading.current_thread():  # garbage is collected in any thread
                thread.join()
        for task_id in list(self._listeners):
            self._end(task_id, _closed())

    def abandon(self) -> None:
        self.close()

    def _end(self, task_id: str, outcome: ImageReport | Exception) -> None:
        listener = self._listeners.pop(task_id, None)
        if listener is not None:
            listener.end(outcome)

    # --- called by the pipeline and the monitor -------------------------------------------------------

    def progress(self, task_id: str, done_tiles: int, total_tiles: int) -> None:
        listener = self._listeners.get(task_id)
        if listener is not None:
            listener.progress(done_tiles, total_tiles)

    def done(self, task_id: str, report: ImageReport) -> None:
        self._end(task_id, report)

    def failed(self, task_id: str, error: Exception) -> None:
        self._end(task_id, known_error(error))

    def models_changed(self) -> None:
        pass

    def sampled(self, sample: MemorySample) -> None:
        pass

    def alerted(self, alert: Alert) -> None:
        self._hooks.on_alert(alert)


class _Result:
    """The listener of `run`, which reports no progress."""

    def __init__(self) -> None:
        self.future: Future[ImageReport] = Future()

    def progress(self, done_tiles: int, total_tiles: int) -> None:
        pass

    def end(self, outcome: ImageReport | Exception) -> None:
        if isinstance(outcome, Exception):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


def _closed() -> Cancelled:
    return Cancelled("the engine was closed before the task had ended")
