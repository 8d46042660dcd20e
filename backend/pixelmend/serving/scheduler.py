"""Admission, order, retry, cancellation and drain of jobs. Knows the workers only through the crew."""

import asyncio
import itertools
import random
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from pixelmend.config import Settings
from pixelmend.errors import (
    Cancelled,
    Draining,
    InputQuarantined,
    NoWorker,
    PixelmendError,
    QueueFull,
    error_from_code,
)
from pixelmend.serving.crew import Crew
from pixelmend.serving.forecast import DrainRate, remaining_pixels, seconds_left_at_own_pace
from pixelmend.serving.jobs import ENDED, Job, JobState
from pixelmend.serving.transport import Cancel, Done, Failed, FromWorker, Progress, Submit
from pixelmend.tasks import ImageTask
from pixelmend.telemetry import Logger

MAX_CRASHES = 2
"""An input that was in this many lost workers, the last time alone, is not tried again."""
REMEMBERED_QUARANTINES = 1000
HOPELESS_STARTS = 2
"""Workers in a row that do not even start; a lost one that had been ready is simply waited for."""
FIRST_GUESS_S = 5.0
"""Seconds per job for Retry-After before anything was measured."""


@dataclass(frozen=True, slots=True)
class QueueStatus:
    queued: int
    running: int
    pixels: int
    draining: bool


class Scheduler:
    """All methods belong to one event loop. Jobs are started in the order in which they were accepted, but
    for one thing: a few posters that fill a worker do not keep thumbnails out of it. Inside a worker the
    tiles of all of its jobs share the device by remaining work.
    """

    def __init__(self, settings: Settings, crew: Crew, log: Logger, discard: Callable[[str], None]) -> None:
        """discard: removes the result of a job that came after it had been given up; it may run again."""
        self._discard = discard
        self._settings = settings
        self._crew = crew
        self._log = log
        self._queued: deque[Job] = deque()
        self._running: dict[str, Job] = {}
        self._leaving: dict[str, Job] = {}
        """Ended before their worker was done with them: they keep their place in it until it says so."""
        self._quarantined: OrderedDict[str, None] = OrderedDict()
        self._draining = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._rate = DrainRate()

    def start(self) -> None:
        self._crew.start(self)

    def status(self) -> QueueStatus:
        return QueueStatus(len(self._queued), len(self._running), self._pending_pixels(), self._draining)

    def require_open(self) -> None:
        """Raises Draining, NoWorker or QueueFull: the cheap check before an upload is read."""
        if self._draining:
            raise Draining("the service finishes accepted work and takes no more")
        worker = self._crew.status()
        if worker.failed_starts >= HOPELESS_STARTS:
            raise NoWorker(worker.problem or "no engine worker starts")
        accepted = len(self._queued) + len(self._running)
        if accepted >= self._settings.max_queue_jobs:
            raise QueueFull(f"{accepted} jobs are waiting, max_queue_jobs={self._settings.max_queue_jobs}")

    def require_room(self, pixels: int, digest: str) -> None:
        """Raises Draining, NoWorker, QueueFull or InputQuarantined where `submit` would."""
        if digest in self._quarantined:
            raise InputQuarantined(f"this input (sha256 {digest[:12]}) has ended {MAX_CRASHES} workers")
        self.require_open()
        self.require_pixels(pixels)

    def require_pixels(self, pixels: int) -> None:
        """Raises QueueFull where a result of so many pixels is too much beside what is waiting."""
        pending = self._pending_pixels()
        if pending and pending + pixels > self._settings.max_queue_pixels:
            raise QueueFull(
                f"{pending} result pixels are waiting and this job has {pixels}; "
                f"max_queue_pixels={self._settings.max_queue_pixels}"
            )

    def submit(
        self,
        task: ImageTask,
        *,
        pixels: int,
        digest: str,
        request_id: str | None,
        durable: bool = False,
        admitted_before: bool = False,
    ) -> Job:
        """Accept a job, or raise Draining, NoWorker, QueueFull or InputQuarantined.

        pixels: of the expected result. digest: of the input's bytes, by which a deadly input is known again.
        admitted_before: by an earlier run of the service; limits do not count.
        """
        if not admitted_before:
            self.require_room(pixels, digest)
        job = Job(
            id=task.id,
            output_path=task.output_path,
            pixels=pixels,
            digest=digest,
            request_id=request_id,
            durable=durable,
            task=task,
        )
        self._queued.append(job)
        self._idle.clear()
        self._pump()
        return job

    def cancel(self, job: Job, reason: PixelmendError | None = None) -> None:
        """End a job early; a running one gives up its device time within a tile."""
        if job.state in ENDED or job.parked:
            return
        if job.id in self._running:
            # The worker keeps working on it until it hears; its late answer is then ignored.
            self._tell_worker(job, Cancel(job.id))
        self._end(job, JobState.CANCELLED, reason or Cancelled(f"job {job.id} was cancelled"))

    def retry_after_s(self) -> int:
        """Seconds until there is likely to be room, from the measured drain rate, with jitter."""
        measured_s = self._rate.seconds_for(self._pending_pixels())
        estimate = FIRST_GUESS_S if measured_s is None else measured_s
        return round(min(600.0, max(1.0, estimate)) * random.uniform(1.0, 1.5))

    def place(self, job: Job) -> int | None:
        """How many jobs start before this one does, plus one; None where it is not queued."""
        return self._queued.index(job) + 1 if job in self._queued else None

    def eta_s(self, job: Job) -> float | None:
        """Seconds until the job's end, from what was measured; None where nothing was."""
        if job.state in ENDED:
            return 0.0
        own_pace_s = seconds_left_at_own_pace(job)
        if own_pace_s is not None:
            return own_pace_s
        before = itertools.takewhile(lambda other: other is not job, self._queued)
        waiting = before if job.state is JobState.QUEUED else ()
        others = [*(other for other in self._running.values() if other is not job), *waiting]
        return self._rate.seconds_for(sum(map(remaining_pixels, others)) + job.pixels)

    def forecast_s(self, pixels: int) -> float | None:
        """Seconds until the end of a job of so many pixels, were it handed in now; None as in `eta_s`."""
        accepted = [*self._running.values(), *self._queued]
        return self._rate.seconds_for(sum(map(remaining_pixels, accepted)) + pixels)

    def begin_draining(self) -> None:
        """Refuse new jobs from now on, and put aside what the next start of the service will take up."""
        self._draining = True
        for job in [job for job in self._queued if job.durable and not job.waiters]:
            self._park(job)

    async def drain(self, timeout_s: float) -> bool:
        """Wait for accepted jobs to end. After `timeout_s` the rest are told that the service goes."""
        self.begin_draining()
        try:
            await asyncio.wait_for(self._idle.wait(), timeout_s)
        except TimeoutError:
            for job in [*self._queued, *self._running.values()]:
                if job.durable:
                    self._park(job)
                else:
                    self.cancel(job, _stopped(job))
            return False
        return True

    async def stop(self) -> None:
        await self._crew.stop()

    # --- events from the workers ----------------------------------------------------------------------

    def worker_ready(self) -> None:
        self._pump()

    def worker_said(self, message: FromWorker) -> None:
        match message:
            case Progress(task_id=task_id, done_tiles=done, total_tiles=total):
                job = self._running.get(task_id)
                if job is not None:
                    if job.tiles_started_s is None:
                        job.tiles_started_s = time.monotonic()
                    job.done_tiles, job.total_tiles = done, total
                    job.notify()
            case Done(task_id=task_id, report=report):
                job = self._running.get(task_id)
                if job is None:
                    self._discard(task_id)
                    self._has_left(task_id)
                    return
                job.report = report
                self._rate.job_ended(report.total_s, job.pixels)
                self._end(job, JobState.DONE, None)
            case Failed(task_id=task_id, code=code, message=text):
                job = self._running.get(task_id)
                if job is not None:
                    self._end(job, JobState.FAILED, error_from_code(code, text))
                self._has_left(task_id)
            case _:
                self._log.warning("unexpected message", kind=message.kind)

    def worker_lost(self, index: int, reason: str) -> None:
        """Put what was in the worker back to the front of the queue; quarantine what did it."""
        lost = [job for job in self._running.values() if job.worker == index]
        for job in lost:
            del self._running[job.id]
        self._leaving = {job.id: job for job in self._leaving.values() if job.worker != index}
        for job in reversed(lost):
            job.crashes += 1
            # A suspect runs alone, so there is no doubt about whose fault the second time was.
            if job.crashes >= MAX_CRASHES:
                self._quarantine(job, reason)
                continue
            self._log.warning("job goes back to the queue", job=job.id, crashes=job.crashes, reason=reason)
            job.state, job.done_tiles, job.total_tiles = JobState.QUEUED, 0, 0
            job.tiles_started_s = None
            job.notify()
            self._queued.appendleft(job)
        self._fail_if_hopeless()

    # --- inside ---------------------------------------------------------------------------------------

    def _pump(self) -> None:
        for job in list(self._queued):
            busy_px = Counter[int]()
            for other in self._in_workers():
                busy_px[other.worker] += other.pixels
            places = [
                index
                for index in self._crew.preferred(job.task.options.model, busy_px)
                if self._may_start(job, index)
            ]
            taken = next((i for i in places if self._crew.send(i, Submit(job.task, job.request_id))), None)
            if taken is None:
                if job.crashes:
                    return  # a suspect waits for a worker to be empty; nothing may overtake it
                continue
            self._queued.remove(job)
            job.state, job.worker = JobState.RUNNING, taken
            self._running[job.id] = job
            job.notify()

    def _may_start(self, job: Job, index: int) -> bool:
        there = [other for other in self._in_workers() if other.worker == index]
        if job.crashes or any(other.crashes for other in there):
            return not there  # a suspect runs alone
        alike = sum(_size_class(other) == _size_class(job) for other in there)
        return alike < self._settings.worker_jobs

    def _tell_worker(self, job: Job, message: Cancel) -> None:
        if self._crew.send(job.worker, message):
            self._leaving[job.id] = job

    def _end(self, job: Job, state: JobState, error: PixelmendError | None) -> None:
        job.state, job.error = state, error
        self._leave(job)

    def _park(self, job: Job) -> None:
        if job.id in self._running:
            self._tell_worker(job, Cancel(job.id))
        job.parked, job.error = True, _stopped(job)
        self._leave(job)

    def _in_workers(self) -> list[Job]:
        return [*self._running.values(), *self._leaving.values()]

    def _has_left(self, task_id: str) -> None:
        if self._leaving.pop(task_id, None) is not None:
            self._pump()

    def _leave(self, job: Job) -> None:
        self._running.pop(job.id, None)
        if job in self._queued:
            self._queued.remove(job)
        job.ended.set()
        job.notify()
        if not self._queued and not self._running:
            self._idle.set()
            self._rate.went_idle()
        self._pump()
        for waiting in list(self._queued):
            waiting.notify()  # it has moved up

    def _quarantine(self, job: Job, reason: str) -> None:
        self._quarantined[job.digest] = None
        while len(self._quarantined) > REMEMBERED_QUARANTINES:
            self._quarantined.popitem(last=False)
        self._log.error("input quarantined", job=job.id, sha256=job.digest, reason=reason)
        self._end(
            job,
            JobState.FAILED,
            InputQuarantined(f"this input (sha256 {job.digest[:12]}) ended {job.crashes} workers: {reason}"),
        )

    def _fail_if_hopeless(self) -> None:
        """Where workers do not even start, waiting is pointless; but for jobs that can wait for a mend."""
        worker = self._crew.status()
        if worker.failed_starts >= HOPELESS_STARTS:
            for job in [job for job in self._queued if not job.durable]:
                self._end(job, JobState.FAILED, NoWorker(worker.problem or "no engine worker starts"))

    def _pending_pixels(self) -> int:
        return sum(job.pixels for job in self._queued) + sum(job.pixels for job in self._running.values())


def _stopped(job: Job) -> Draining:
    return Draining(f"the service stopped before job {job.id} was finished")


def _size_class(job: Job) -> int:
    """Results of one class differ by less than a factor of four; all smaller classes together need a third
    of the memory that one class needs.
    """
    return job.pixels.bit_length() // 2
