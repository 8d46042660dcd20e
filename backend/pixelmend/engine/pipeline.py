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
        # By task; only tasks that have not ended are in it.
        self._cancelled: dict[str, threading.Event] = {}
        self._is_stopped = False
        self._tasks = ThreadPoolExecutor(_MAX_TASKS, thread_name_prefix="task")

    @property
    def step_age_s(self) -> float:
        """Seconds since the device loop last came round."""
        return self._loop.step_age_s

    def submit(self, task: ImageTask) -> None:
        cancelled = self._cancelled[task.id] = threading.Event()
        self._tasks.submit(self._run_task, task, time.perf_counter(), cancelled)

    def cancel(self, task_id: str) -> None:
        """Does nothing if the task has ended."""
        cancelled = self._cancelled.get(task_id)
        if cancelled is not None:
            cancelled.set()
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

    def execute(self, task: ImageTask, started_s: float, cancelled: threading.Event) -> ImageReport:
        """Take the task's steps. Raises what they raise; nothing is left of the result then."""
        work = Work(
            task,
            started_s,
            cancelled=lambda: self._is_stopped or cancelled.is_set(),
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

    def _run_task(self, task: ImageTask, started_s: float, cancelled: threading.Event) -> None:
        outcome: ImageReport | Exception
        try:
            outcome = self.execute(task, started_s, cancelled)
        except Exception as error:
            outcome = _reported(task, error, cancelled)
        # As soon as its end is reported, a task of the same name may come.
        self._cancelled.pop(task.id, None)
        if not isinstance(outcome, Exception):
            self._listener.done(task.id, outcome)
        elif not self._is_stopped:
            self._listener.failed(task.id, outcome)

    def _step(self, name: str) -> Step:
        if name not in self._steps:
            raise InternalError(f"the pipeline has no step {name!r}; it has {', '.join(self._steps)}")
        return self._steps[name]


def _reported(task: ImageTask, error: Exception, cancelled: threading.Event) -> Exception:
    """What is reported in place of `error`, or `error` itself."""
    if cancelled.is_set():
        # Its files were removed while it was running, which may look like a corrupt image.
        return Cancelled(f"job {task.id} was cancelled")
    if isinstance(error, FileNotFoundError) and not task.input_path.exists():
        # The job was cancelled before it came here, and the message that says so is on its way.
        return InternalError(f"the input of job {task.id} was removed")
    return error
