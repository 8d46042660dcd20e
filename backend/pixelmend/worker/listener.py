"""What happens in a worker, as messages to the process that started it."""

import threading
import time
from collections.abc import Callable, Iterable

from pixelmend.core.errors import PixelmendError
from pixelmend.core.telemetry import Logger
from pixelmend.models.description import ModelDescription
from pixelmend.models.hooks import Hooks
from pixelmend.models.memory import Alert, MemorySample
from pixelmend.models.recovery import RecoveryEvent
from pixelmend.tasks.image import ImageReport
from pixelmend.worker.protocol import (
    Done,
    Memory,
    MemoryAlert,
    Progress,
    Recovery,
    WorkerEnd,
    failure,
    pages_of,
)

PROGRESS_PERIOD_S = 0.1


class PipeListener:
    """Turns what the pipeline tells into messages; progress at most ten times a second and task."""

    def __init__(
        self, end: WorkerEnd, describe: Callable[[], Iterable[ModelDescription]], log: Logger, hooks: Hooks
    ) -> None:
        """describe: every model there is."""
        self._end = end
        self._describe = describe
        self._hooks = hooks
        self._log = log
        self._progress_sent_s: dict[str, float] = {}
        self._request_ids: dict[str, str | None] = {}
        self._models: tuple[ModelDescription, ...] = ()
        self._models_lock = threading.Lock()

    def accepted(self, task_id: str, request_id: str | None) -> None:
        """Log lines about the task will carry the id of the request that it came from."""
        self._request_ids[task_id] = request_id

    def progress(self, task_id: str, done_tiles: int, total_tiles: int) -> None:
        now = time.monotonic()
        recent = now - self._progress_sent_s.get(task_id, 0.0) < PROGRESS_PERIOD_S
        if recent and done_tiles not in (0, total_tiles):
            return
        self._progress_sent_s[task_id] = now
        self._end.send(Progress(task_id, done_tiles, total_tiles))

    def done(self, task_id: str, report: ImageReport) -> None:
        log = self._log_of_ended(task_id)
        log.info("job done", tiles=report.tiles, seconds=report.total_s, precision=report.precision)
        for note in report.fallbacks:
            log.warning("result with a fall-back", note=note)
        self._end.send(Done(task_id, report))

    def failed(self, task_id: str, error: Exception) -> None:
        log = self._log_of_ended(task_id)
        if isinstance(error, PixelmendError):
            log.info("job failed", code=error.code, reason=error.message)
        else:
            log.error("a bug failed the job", exc_info=error)
        # First, so that a client that learns of the failure finds a bad model file named as such.
        self.models_changed()
        self._end.send(failure(task_id, error))

    def _log_of_ended(self, task_id: str) -> Logger:
        self._progress_sent_s.pop(task_id, None)
        return self._log.bind(job=task_id, request_id=self._request_ids.pop(task_id, None))

    def models_changed(self) -> None:
        with self._models_lock:  # or an older list could be sent after a newer one
            models = tuple(self._describe())
            if models != self._models:
                self._models = models
                for page in pages_of(models):
                    self._end.send(page)

    def sampled(self, sample: MemorySample) -> None:
        self._end.send(Memory(sample))

    def alerted(self, alert: Alert) -> None:
        self._end.send(MemoryAlert(alert))
        self._hooks.on_alert(alert)


class RecoveryReporter:
    """A hook that tells the other side."""

    def __init__(self, end: WorkerEnd) -> None:
        self._end = end

    def on_recovery(self, event: RecoveryEvent) -> None:
        self._end.send(Recovery(event))
