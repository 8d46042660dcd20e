"""How much of the queue one owner may have when others want some of it."""

from collections import Counter
from dataclasses import dataclass, field

from pixelmend.core.errors import QueueFull
from pixelmend.jobs.model import Job

OVERFLOW = 2
"""A full queue takes this many times its limit from owners that have less than their share."""


@dataclass(slots=True)
class Shares:
    """Jobs accepted and not finished, and their result pixels (but for long jobs), by owner.

    One owner alone may fill the queue. Another that has less than an equal share still finds a place then, so
    that no owner has a full queue alone.
    """

    max_jobs: int
    max_pixels: int
    _jobs: Counter[str] = field(default_factory=Counter)
    _pixels: Counter[str] = field(default_factory=Counter)

    @property
    def jobs(self) -> int:
        return self._jobs.total()

    @property
    def pixels(self) -> int:
        return self._pixels.total()

    def add(self, job: Job) -> None:
        self._jobs[job.owner] += 1
        self._pixels[job.owner] += 0 if job.is_long else job.pixels

    def remove(self, job: Job) -> None:
        self._jobs[job.owner] -= 1
        self._pixels[job.owner] -= 0 if job.is_long else job.pixels
        if not self._jobs[job.owner]:
            del self._jobs[job.owner], self._pixels[job.owner]

    def require_place(self, owner: str) -> None:
        """Raises QueueFull if that owner may have no job more."""
        accepted = self.jobs
        if self._is_too_much(accepted + 1, self._jobs[owner] + 1, self.max_jobs, owner):
            raise QueueFull(f"{accepted} jobs are waiting, max_queue_jobs={self.max_jobs}")

    def require_pixels(self, pixels: int, owner: str) -> None:
        """Raises QueueFull if a result of so many pixels is too much beside what is waiting."""
        pending = self.pixels
        if pending and self._is_too_much(
            pending + pixels, self._pixels[owner] + pixels, self.max_pixels, owner
        ):
            raise QueueFull(
                f"{pending} result pixels are waiting and this job has {pixels}; "
                f"max_queue_pixels={self.max_pixels}"
            )

    def _is_too_much(self, all_together: int, own: int, limit: int, owner: str) -> bool:
        if all_together <= limit:
            return False
        owners = len(self._jobs) + (owner not in self._jobs)
        return owners == 1 or own > limit // owners or all_together > OVERFLOW * limit
