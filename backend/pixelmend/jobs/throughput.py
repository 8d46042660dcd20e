"""How long work will take, from how long work has taken."""

import time
from collections import defaultdict
from dataclasses import dataclass, field

from pixelmend.jobs.model import Job, JobState
from pixelmend.tasks.image import ImageReport

_MEMORY = 0.9
"""How much of what was known stays when a job is added: the last ten or so jobs count."""
_QUEUE_MEMORY = 0.8


@dataclass(slots=True)
class _Rate:
    """Seconds per pixel, in which large jobs say more than small ones."""

    seconds: float = 0.0
    pixels: float = 0.0

    def learn(self, seconds: float, pixels: int) -> None:
        self.seconds = _MEMORY * self.seconds + seconds
        self.pixels = _MEMORY * self.pixels + pixels

    def seconds_for(self, pixels: int) -> float | None:
        return self.seconds / self.pixels * pixels if self.pixels else None


@dataclass(frozen=True, slots=True)
class Seconds:
    """What one job takes that has the machine for itself."""

    decode: float
    device: float
    encode: float

    @property
    def total(self) -> float:
        return self.decode + self.device + self.encode


@dataclass(slots=True)
class ThroughputEstimator:
    """Learns from every job that ends; belongs to one event loop.

    Seconds per pixel of the input to decode, of the tiles to compute, of the result to encode, each for a job
    by itself; and per pixel of result for the queue as a whole, in which jobs overlap. Encoding is what
    remains of it after the last tile; the rest of it is hidden behind the device's work.
    """

    _decode: _Rate = field(default_factory=_Rate)
    _device: defaultdict[tuple[str, str], _Rate] = field(default_factory=lambda: defaultdict(_Rate))
    _encode: defaultdict[str, _Rate] = field(default_factory=lambda: defaultdict(_Rate))
    _queue_s_per_px: float | None = None
    _last_end_s: float | None = None

    def learn(self, report: ImageReport, output_format: str) -> None:
        """From a job of this run or of an earlier one."""
        if not report.computed_px:
            return  # written by a version that did not count
        if report.frames:  # a film's frames are decoded and encoded beside the device's work
            self._device[report.model, report.precision].learn(report.device_s, report.computed_px)
            return
        self._decode.learn(report.decode_s, report.source_px)
        self._device[report.model, report.precision].learn(report.device_s, report.computed_px)
        self._encode[output_format].learn(report.encode_s, report.width_px * report.height_px)

    def job_ended(self, total_s: float, pixels: int) -> None:
        """total_s: what the job took by itself."""
        now_s = time.monotonic()
        # While jobs follow one another, the time between ends is what a pixel costs the queue.
        elapsed_s = total_s if self._last_end_s is None else now_s - self._last_end_s
        self._last_end_s = now_s
        rate = elapsed_s / max(1, pixels)
        known = self._queue_s_per_px
        self._queue_s_per_px = rate if known is None else _QUEUE_MEMORY * known + (1 - _QUEUE_MEMORY) * rate

    def went_idle(self) -> None:
        """The time until the next end is not the queue's."""
        self._last_end_s = None

    def queue_seconds(self, pixels: int) -> float | None:
        """Until so many pixels of result have left the queue; None before anything was measured."""
        return None if self._queue_s_per_px is None else self._queue_s_per_px * pixels

    def job_seconds(
        self,
        *,
        model: str,
        precision: str,
        output_format: str,
        source_px: int,
        computed_px: int,
        result_px: int,
        first_guess: float | None = None,
    ) -> Seconds | None:
        """None if no job of that model in that precision has been seen, and there is no guess either.

        first_guess: seconds that a computed pixel takes, for as long as no job has shown it.
        A format that was not seen yet counts as one that is encoded while the device computes.
        """
        device_s = self._device[model, precision].seconds_for(computed_px)
        if device_s is None and first_guess is not None:
            device_s = first_guess * computed_px
        if device_s is None:
            return None
        decode_s = self._decode.seconds_for(source_px)
        encode_s = self._encode[output_format].seconds_for(result_px)
        return Seconds(decode_s or 0.0, device_s, encode_s or 0.0)


def remaining_pixels(job: Job) -> int:
    """The pixels of the job's result that are to come, by the tiles that are not done."""
    if not job.total_tiles:
        return job.pixels
    return job.pixels * (job.total_tiles - job.done_tiles) // job.total_tiles


def seconds_left_at_own_pace(job: Job) -> float | None:
    """By the job's own tiles so far, which show what it shares the device with; None before the first."""
    if job.state is not JobState.RUNNING or not job.done_tiles or job.tiles_started_s is None:
        return None
    done = job.done_tiles - job.first_done_tiles
    if done <= 0:
        return None
    spent_s = time.monotonic() - job.tiles_started_s
    return spent_s / done * (job.total_tiles - job.done_tiles)
