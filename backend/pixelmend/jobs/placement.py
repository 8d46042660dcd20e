"""Which jobs are in which worker, and which one has room for the next."""

from collections import Counter
from dataclasses import dataclass, field

from pixelmend.jobs.model import Job
from pixelmend.jobs.queue import size_class
from pixelmend.tasks.image import ImageTask
from pixelmend.worker.pool import WorkerPool
from pixelmend.worker.protocol import Cancel, Submit


@dataclass(eq=False, slots=True)
class Placement:
    """Belongs to one event loop. jobs_per_worker: of similar size. long_per_worker: long ones.

    running: by their ids. A job that has ended before its worker was done with it keeps its room there
    until the worker says so, or is lost.
    """

    workers: WorkerPool
    jobs_per_worker: int
    long_per_worker: int
    running: dict[str, Job] = field(default_factory=dict)
    _retiring: dict[str, Job] = field(default_factory=dict)

    def place(self, job: Job) -> bool:
        """Send the job to the best worker that has room for it and takes it. False if there is none."""
        assert isinstance(job.task, ImageTask), "batches are run by `BatchRunner`"
        busy_px = Counter[int]()
        for other in self._all():
            busy_px[other.worker] += other.pixels
        for index in self.workers.preferred(job.record.options.main_model, busy_px):
            message = Submit(job.task, job.record.request_id)
            if self._has_room(index, job) and self.workers.send(index, message):
                job.worker = index
                self.running[job.id] = job
                return True
        return False

    def cancel(self, job: Job) -> None:
        """Tell its worker, which goes on until it reads that; its late answer is then ignored."""
        if job.id in self.running:
            # Even if the worker does not hear it: then it is lost, and `lose` will be called.
            self._retiring[job.id] = job
            self.workers.send(job.worker, Cancel(job.id))

    def forget(self, job: Job) -> None:
        """The job does not run any more; nothing happens if it did not."""
        self.running.pop(job.id, None)

    def left(self, job_id: str) -> Job | None:
        """Its worker is done with a job, which is returned if it had ended before."""
        return self._retiring.pop(job_id, None)

    def lose(self, index: int) -> tuple[list[Job], list[Job]]:
        """The worker is gone. Returns what ran in it, and what had ended before but not left it."""
        lost = [job for job in self.running.values() if job.worker == index]
        retiring = [job for job in self._retiring.values() if job.worker == index]
        for job in lost:
            del self.running[job.id]
        for job in retiring:
            del self._retiring[job.id]
        return lost, retiring

    def _has_room(self, index: int, job: Job) -> bool:
        there = [other for other in self._all() if other.worker == index]
        # A suspect runs alone. A film is one only until it is past the place where its worker was lost, and
        # suspects do not wait for hours until another film ends.
        if any(other.is_long and other.lost_workers for other in there):
            return False
        beside = there if job.is_long else [other for other in there if not other.is_long]
        if job.lost_workers or any(other.lost_workers for other in beside):
            return not beside
        alike = sum(size_class(other) == size_class(job) for other in there)
        return alike < (self.long_per_worker if job.is_long else self.jobs_per_worker)

    def _all(self) -> list[Job]:
        return [*self.running.values(), *self._retiring.values()]
