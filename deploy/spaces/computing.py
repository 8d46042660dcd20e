"""What runs in the process that has the GPU, and how long it will need one.

On ZeroGPU that is a process forked for the decorated function, out of which an exception comes without its
words. So what fails is data as well.
"""

import functools
import math
import os
from dataclasses import dataclass

from pixelmend.core.config import Settings
from pixelmend.core.error_codes import known_error
from pixelmend.core.errors import InternalError, PixelmendError
from pixelmend.core.telemetry import Logger, configure_logging
from pixelmend.imaging.probe import input_limits, probe
from pixelmend.models.catalog import load_catalog
from pixelmend.tasks.image import ImageReport, ImageTask

MAX_GPU_SECONDS = 120
"""More is not asked for: it would be taken from the visitor's quota before anything is computed."""
_START_S = 15.0
"""For a process that has nothing open: PyTorch, the device's context, the model."""
_OPERATIONS_PER_S = 15e12
"""A third of what such a GPU does in float16 with networks of this kind. Estimated, not measured."""
_ENCODED_PX_PER_S = 25e6


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as it crosses the processes. is_bug: the process may not be sound any more."""

    title: str
    message: str
    is_bug: bool

    @classmethod
    def of(cls, error: PixelmendError) -> "Failure":
        return cls(error.title, error.message, isinstance(error, InternalError))

    def __str__(self) -> str:
        return f"{self.title}: {self.message}"


class Computer:
    """The engine of this process, which keeps its models open from call to call."""

    def __init__(self) -> None:
        from pixelmend.engine.in_process import InProcessEngine

        settings = Settings()
        configure_logging(settings.log_level, settings.log_format)
        self._log = Logger(process="space", pid=os.getpid())
        self._engine = InProcessEngine(settings, self._log)
        self._used: set[str] = set()

    def run(self, task: ImageTask) -> ImageReport | Failure:
        model = task.options.main_model
        try:
            report: ImageReport = self._engine.run(task)
        except Exception as error:
            failure = Failure.of(known_error(error))
            trace = error if failure.is_bug else None
            self._log.warning("failed", model=model, reason=str(failure), exc_info=trace)
            return failure
        self._log.info("computed", model=model, reused=model in self._used, total_s=report.total_s)
        self._used.add(model)
        return report


@functools.cache
def computer() -> Computer:
    """Built by its first use, which is in the process that computes."""
    return Computer()


def run(task: ImageTask) -> ImageReport | Failure:
    """The result is at the task's path when it returns a report. Raises nothing."""
    try:
        own = computer()
    except Exception as error:
        return Failure.of(known_error(error))
    return own.run(task)


def gpu_seconds(task: ImageTask) -> int:
    """How long the task may take on ZeroGPU's hardware, with a new process; by pixels, model and result.

    Raises what is wrong with the image or the model.
    """
    settings = Settings()
    entry = load_catalog(settings.models_dir).usable(task.options.main_model)
    source_px = probe(task.input_path, input_limits(settings), first_frame=True).oriented_size.pixels
    # Its layers see the input's size: two operations for a weight and a pixel, weights of two bytes.
    operations = source_px * entry.path.stat().st_size
    made_px = source_px * (entry.scale or 4) ** 2
    return math.ceil(_START_S + operations / _OPERATIONS_PER_S + made_px / _ENCODED_PX_PER_S)
