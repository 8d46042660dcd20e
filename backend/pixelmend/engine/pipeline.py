"""An image's way through a worker: the steps that its task names, one after another, on a thread of its own.

So that images overlap, each task has a thread; it mostly waits for the device, which all share tile by tile.
"""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from pixelmend.core.errors import Cancelled, InternalError
from pixelmend.engine.device_loop import DeviceLoop
from pixelmend.engine.steps.report import report_of
from pixelmend.engine.steps.work import Step, Work
from pixelmend.tasks.image import ImageReport, ImageTask

_MAX_TASKS = 1024
"""Far above what a service hands to a worker at one time."""


class Listener(Protocol):
    """Gets exactly one `done` or `failed` for every task; called by several threads."""

    def progress(self, task_id: str, done_tiles: int, total_tiles: int) -> None: ...

    def done(self, task_id: str, report: ImageReport) -> None: ...

    def failed(self, task_id: str, error: Exception) -> None: ...

    def models_changed(self) -> None: ...


class Pipeline:
    """`submit` and `cancel` may be called by any thread; `run` owns the device.

    steps: by the names that tasks use. load: opens a model.
    """

    def __init__(
        self, loop: DeviceLoop, steps: Mapping[str, Step], listener: Listener, load: Callable[[str], None]
    ) -> None:
        self._loop = loop
        self._steps = steps
        self._listener = listener
        self._load = load
        self._cancelled: set[str] = set()
        self._is_stopped = False
        self._tasks = ThreadPoolExecutor(_MAX_TASKS, thread_name_prefix="task")

    @property
    def step_age_s(self) -> float:
        """Seconds since the device loop last came round."""
        return self._loop.step_age_s

    def submit(self, task: ImageTask) -> None:
        self._tasks.submit(self._run_task, task, time.perf_counter())

    def cancel(self, task_id: str) -> None:
        self._cancelled.add(task_id)
        self._loop.cancel(task_id)

    def preload(self, model_id: str) -> None:
        """Open a model ahead of the first request. Raises what `load` raises."""
        self._load(model_id)

    def wake(self) -> None:
        """Let the device loop look at once whether it was stopped."""
        self._loop.wake()

    def run(self, stop: threading.Event) -> None:
        """The device loop, until `stop` is set. Nothing is reported of tasks that are not finished then."""
        self._loop.run(stop)
        self._is_stopped = True
        self._loop.fail_all()
        self._tasks.shutdown(wait=True, cancel_futures=True)

    def execute(self, task: ImageTask, started_s: float) -> ImageReport:
        """Take the task's steps. Raises what they raise; nothing is left of the result then."""
        work = Work(
            task,
            started_s,
            cancelled=lambda: self._is_stopped or task.id in self._cancelled,
            on_progress=lambda done, total: self._listener.progress(task.id, done, total),
        )
        with work.resources:
            for name in task.steps:
                work.raise_if_cancelled()
                self._step(name)(work)
            report = work.report or report_of(work)
        if work.cancelled():
            task.output_path.unlink(missing_ok=True)
            work.raise_if_cancelled()
        return report

    def _run_task(self, task: ImageTask, started_s: float) -> None:
        try:
            report = self.execute(task, started_s)
        except Exception as error:
            self._report_failure(task, error)
            return
        self._cancelled.discard(task.id)
        self._listener.done(task.id, report)

    def _step(self, name: str) -> Step:
        if name not in self._steps:
            raise InternalError(f"the pipeline has no step {name!r}; it has {', '.join(self._steps)}")
        return self._steps[name]

    def _report_failure(self, task: ImageTask, error: Exception) -> None:
        if self._is_stopped:
            return
        if task.id in self._cancelled:
            # Its files were removed while it was running, which may look like a corrupt image.
            error = Cancelled(f"job {task.id} was cancelled")
        elif isinstance(error, FileNotFoundError) and not task.input_path.exists():
            # The job was cancelled before it came here, and the message that says so is on its way.
            error = InternalError(f"the input of job {task.id} was removed")
        self._cancelled.discard(task.id)
        self._listener.failed(task.id, error)
