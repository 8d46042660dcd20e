"""Admission, order, retry, cancellation and drain of jobs. Knows the workers only through the crew."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from pixelmend.core.config import Settings
from pixelmend.core.errors import (
    Cancelled,
    Draining,
    InputQuarantined,
    NoWorker,
    PixelmendError,
    error_from_code,
)
from pixelmend.core.private_paths import PrivatePaths
from pixelmend.core.telemetry import Logger
from pixelmend.jobs.forecast import DrainRate, remaining_pixels, seconds_left_at_own_pace
from pixelmend.jobs.model import ENDED, Job, JobState
from pixelmend.jobs.quarantine import MAX_CRASHES, Quarantine
from pixelmend.jobs.queue import JobQueue, size_class
from pixelmend.jobs.shares import Shares
from pixelmend.tasks.image import ImageTask
from pixelmend.worker.crew import Crew
from pixelmend.worker.protocol import Cancel, Done, Failed, FromWorker, Progress, Submit

MAX_ATTEMPTS = 5
"""A job that was in this many lost workers, by whatever cause, fails; its input may be tried again."""
MOVED_PERIOD_S = 0.5
"""Jobs that wait are told of their new places so often at most, all at one time."""
FIRST_GUESS_S = 5.0
"""Seconds per job for Retry-After before anything was measured."""


@dataclass(frozen=True, slots=True)
class QueueStatus:
    queued: int
    running: int
    pixels: int
    draining: bool


class Scheduler:
    """All methods belong to one event loop. Jobs are started in the order of the queue, but for one thing: a
    few posters that fill a worker do not keep thumbnails out of it. Inside a worker the tiles of all of its
    jobs share the device by remaining work.
    """

    def __init__(self, settings: Settings, crew: Crew, log: Logger, discard: Callable[[str], None]) -> None:
        """discard: removes the result of a job that came after it had been given up; it may run again."""
        self._discard = discard
        self._places = PrivatePaths(settings)
        self._settings = settings
        self._crew = crew
        self._log = log
        self._queued = JobQueue()
        self._shares = Shares(settings.max_queue_jobs, settings.max_queue_pixels)
        self._running: dict[str, Job] = {}
        self._leaving: dict[str, Job] = {}
        """Ended before their worker was done with them: they keep their place in it until it says so."""
        self._quarantined = Quarantine()
        self._draining = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._rate = DrainRate()
        self._moved: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._crew.start(self)

    def status(self) -> QueueStatus:
        return QueueStatus(len(self._queued), len(self._running), self._shares.pixels, self._draining)

    def refusal(self) -> PixelmendError | None:
        """Draining or NoWorker, with which every new job is refused now; a full queue aside."""
        if self._draining:
            return Draining("the service finishes accepted work and takes no more")
        worker = self._crew.status()
        return NoWorker(worker.problem or "no engine worker starts") if worker.hopeless else None

    def require_open(self, owner: str = "") -> None:
        """Raises Draining, NoWorker or QueueFull: the cheap check before an upload is read."""
        refusal = self.refusal()
        if refusal is not None:
            raise refusal
        self._shares.require_place(owner)

    def require_room(self, pixels: int, digest: str, owner: str = "") -> None:
        """Raises Draining, NoWorker, QueueFull or InputQuarantined where `submit` would."""
        self._quarantined.require_absent(digest)
        self.require_open(owner)
        self._shares.require_pixels(pixels, owner)

    def require_pixels(self, pixels: int, owner: str = "") -> None:
        """Raises QueueFull if a result of so many pixels is too much beside what is waiting."""
        self._shares.require_pixels(pixels, owner)

    def submit(
        self,
        task: ImageTask,
        *,
        pixels: int,
        digest: str,
        request_id: str | None,
        owner: str = "",
        durable: bool = False,
        admitted_before: bool = False,
    ) -> Job:
        """Accept a job, or raise Draining, NoWorker, QueueFull or InputQuarantined.

        pixels: of the expected result. digest: of the input's bytes, by which a deadly input is known again.
        admitted_before: by an earlier run of the service; limits do not count.
        """
        if not admitted_before:
            self.require_room(pixels, digest, owner)
        job = Job(
            id=task.id,
            output_path=task.output_path,
            pixels=pixels,
            digest=digest,
            request_id=request_id,
            owner=owner,
            durable=durable,
            task=task,
        )
        self._queued.add(job)
        self._shares.add(job)
        self._idle.clear()
        self._dispatch()
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
        measured_s = self._rate.seconds_for(self._shares.pixels)
        estimate = FIRST_GUESS_S if measured_s is None else measured_s
        return round(min(600.0, max(1.0, estimate)) * random.uniform(1.0, 1.5))

    def place(self, job: Job) -> int | None:
        """How many jobs start before this one does, plus one; None where it is not queued."""
        return self._queued.place(job)

    def eta_s(self, job: Job) -> float | None:
        """Seconds until the job's end, from what was measured; None where nothing was."""
        if job.state in ENDED:
            return 0.0
        own_pace_s = seconds_left_at_own_pace(job)
        if own_pace_s is not None:
            return own_pace_s
        before = self._queued.pixels_before(job) if job.state is JobState.QUEUED else 0
        beside = sum(remaining_pixels(other) for other in self._running.values() if other is not job)
        return self._rate.seconds_for(beside + before + job.pixels)

    def forecast_s(self, pixels: int) -> float | None:
        """Seconds until the end of a job of so many pixels, were it handed in now; None as in `eta_s`."""
        running = sum(map(remaining_pixels, self._running.values()))
        return self._rate.seconds_for(running + self._queued.pixels + pixels)

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
        self._dispatch()

    def on_worker_message(self, message: FromWorker) -> None:
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
                    self._end(job, JobState.FAILED, error_from_code(code, self._places.hidden(text)))
                self._has_left(task_id)
            case _:
                self._log.warning("unexpected message", kind=message.kind)

    def worker_lost(self, index: int, reason: str, *, by_itself: bool) -> None:
        """Put what was in the worker back to the front of the queue; quarantine what ended it twice.

        by_itself: otherwise it was ended from here, which says nothing against an input.
        """
        lost = [job for job in self._running.values() if job.worker == index]
        for job in lost:
            del self._running[job.id]
        self._leaving = {job.id: job for job in self._leaving.values() if job.worker != index}
        for job in reversed(lost):
            job.attempts += 1
            job.crashes += by_itself
            # A suspect runs alone, so there is no doubt about whose fault the second time was.
            if job.crashes >= MAX_CRASHES:
                self._quarantine(job, reason)
                continue
            if job.attempts >= MAX_ATTEMPTS:
                gone = NoWorker(f"{job.attempts} workers were lost while job {job.id} was in them: {reason}")
                self._end(job, JobState.FAILED, gone)
                continue
            self._log.warning("job goes back to the queue", job=job.id, attempts=job.attempts, reason=reason)
            job.state, job.done_tiles, job.total_tiles = JobState.QUEUED, 0, 0
            job.tiles_started_s = None
            job.notify()
            self._queued.put_back(job)
        self._fail_if_hopeless()

    # --- inside ---------------------------------------------------------------------------------------

    def _dispatch(self) -> None:
        """Give workers what they have room for."""
        blocked: set[int] = set()
        while (job := self._queued.first(blocked)) is not None:
            busy_px = Counter[int]()
            for other in self._in_workers():
                busy_px[other.worker] += other.pixels
            places = [
                index
                for index in self._crew.preferred(job.task.options.main_model, busy_px)
                if self._may_start(job, index)
            ]
            taken = next((i for i in places if self._crew.send(i, Submit(job.task, job.request_id))), None)
            if taken is None:
                if job.attempts:
                    return  # a suspect waits for a worker to be empty; nothing may overtake it
                blocked.add(size_class(job))
                continue
            self._queued.take(job)
            job.state, job.worker = JobState.RUNNING, taken
            self._running[job.id] = job
            job.notify()

    def _may_start(self, job: Job, index: int) -> bool:
        there = [other for other in self._in_workers() if other.worker == index]
        if job.attempts or any(other.attempts for other in there):
            return not there  # a suspect runs alone
        alike = sum(size_class(other) == size_class(job) for other in there)
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
            self._dispatch()

    def _leave(self, job: Job) -> None:
        self._running.pop(job.id, None)
        self._queued.discard(job)
        self._shares.remove(job)
        job.ended.set()
        job.notify()
        if not self._queued and not self._running:
            self._idle.set()
            self._rate.went_idle()
        self._dispatch()
        if len(self._queued) and self._moved is None:
            self._moved = asyncio.get_running_loop().call_later(MOVED_PERIOD_S, self._tell_places)

    def _tell_places(self) -> None:
        self._moved = None
        for waiting in self._queued:
            waiting.notify()  # it has moved up

    def _quarantine(self, job: Job, reason: str) -> None:
        self._quarantined.add(job.digest)
        self._log.error("input quarantined", job=job.id, sha256=job.digest, reason=reason)
        self._end(
            job,
            JobState.FAILED,
            InputQuarantined(f"this input (sha256 {job.digest[:12]}) ended {job.crashes} workers: {reason}"),
        )

    def _fail_if_hopeless(self) -> None:
        """Where workers do not even start, waiting is pointless; but for jobs that can wait for a mend."""
        worker = self._crew.status()
        if worker.hopeless:
            for job in [job for job in self._queued if not job.durable]:
                self._end(job, JobState.FAILED, NoWorker(worker.problem or "no engine worker starts"))


def _stopped(job: Job) -> Draining:
    return Draining(f"the service stopped before job {job.id} was finished")
