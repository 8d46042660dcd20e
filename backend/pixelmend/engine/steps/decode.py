"""The step `decode`: from the task's file to pixels."""

import threading
import time

from pixelmend.engine.steps.work import Work
from pixelmend.imaging.codec import decode
from pixelmend.imaging.probe import InputLimits

_AT_ONCE = 8
"""Decoding waits for the disk and for libvips, which has threads of its own. So many at once that posters do
not keep a thumbnail from being decoded, and no more, because each takes memory."""


class DecodeStep:
    def __init__(self, limits: InputLimits) -> None:
        self._limits = limits
        self._free = threading.BoundedSemaphore(_AT_ONCE)

    def __call__(self, work: Work) -> None:
        with self._free:
            work.raise_if_cancelled()
            first_frame = work.task.options.first_frame
            work.image = decode(work.task.input_path, self._limits, first_frame=first_frame)
            work.decode_s = time.perf_counter() - work.started_s
