"""What runs jobs."""

from typing import Protocol

from pixelmend.core.errors import Draining, PixelmendError
from pixelmend.jobs.model import Job


class Runner(Protocol):
    """The scheduler runs jobs of one image, the batch runner runs batches."""

    def require_room(self, job: Job) -> None:
        """Raises what `submit` would."""
        ...

    def submit(self, job: Job, *, admitted_before: bool = False) -> None:
        """Accept a job. Raises Draining, NoWorker, QueueFull, InputQuarantined.

        admitted_before: by an earlier run of the service; limits do not count.
        """
        ...

    def cancel(self, job: Job, reason: PixelmendError | None = None) -> None:
        """End a job early."""
        ...

    def queue_position(self, job: Job) -> int | None:
        """From 1; None if the job does not wait."""
        ...

    def eta_s(self, job: Job) -> float | None:
        """Seconds until its end, from what was measured; None before anything was."""
        ...


def stopped(job: Job) -> Draining:
    """Why a job that the service had no time for has no result."""
    return Draining(f"the service stopped before job {job.id} was finished")
