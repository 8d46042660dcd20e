"""How long work will take, from how long work has taken."""

import time

from pixelmend.jobs.model import Job, JobState


class DrainRate:
    """What a pixel of result costs the queue, in seconds: a running mean over jobs that have ended."""

    def __init__(self) -> None:
        self._seconds_per_pixel: float | None = None
        self._last_end_s: float | None = None

    def job_ended(self, total_s: float, pixels: int) -> None:
        """total_s: what the job took by itself."""
        now = time.monotonic()
        # While jobs follow one another, the time between ends is what a pixel costs the queue.
        elapsed_s = total_s if self._last_end_s is None else now - self._last_end_s
        self._last_end_s = now
        rate = elapsed_s / max(1, pixels)
        known = self._seconds_per_pixel
        self._seconds_per_pixel = rate if known is None else 0.8 * known + 0.2 * rate

    def went_idle(self) -> None:
        """The time until the next end is not the queue's."""
        self._last_end_s = None

    def seconds_for(self, pixels: int) -> float | None:
        """None where nothing was measured yet."""
        return None if self._seconds_per_pixel is None else self._seconds_per_pixel * pixels


def remaining_pixels(job: Job) -> int:
    """Of the job's result, by the tiles that are not done."""
    if not job.total_tiles:
        return job.pixels
    return job.pixels * (job.total_tiles - job.done_tiles) // job.total_tiles


def seconds_left_at_own_pace(job: Job) -> float | None:
    """By the job's own tiles so far, which know with whom it shares the device; None before the first."""
    if job.state is not JobState.RUNNING or not job.done_tiles or job.tiles_started_s is None:
        return None
    spent_s = time.monotonic() - job.tiles_started_s
    return spent_s / job.done_tiles * (job.total_tiles - job.done_tiles)
