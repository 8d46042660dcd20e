"""Admission, order, retry, cancellation and drain of jobs, each of which one worker runs."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from pixelmend.core.config import Settings
from pixelmend.core.error_codes import error_from_code
from pixelmend.core.errors import Cancelled, Draining, InputQuarantined, NoWorker, PixelmendError
from pixelmend.core.private_paths import PrivatePaths
from pixelmend.core.telemetry import Logger
from pixelmend.jobs.model import ENDED, Job, JobEvent, JobState
from pixelmend.jobs.placement import Placement
from pixelmend.jobs.quarantine import MAX_CRASHES, Quarantine
from pixelmend.jobs.queue import JobQueue, size_class
from pixelmend.jobs.runner import stopped
from pixelmend.jobs.shares import Shares
from pixelmend.jobs.throughput import ThroughputEstimator, remaining_pixels, seconds_left_at_own_pace
from pixelmend.worker.pool import WorkerPool
from pixelmend.worker.protocol import Done, Failed, FromWorker, Progress, Returned

MAX_LOST_WORKERS = 5
"""A job that was in this many lost workers, by whatever cause, fails; its input may be tried again."""
POSITION_PERIOD_S = 0.5
"""Jobs that wait are told of their new positions so often at most, all at one time."""
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

    def __init__(
        self,
        settings: Settings,
        workers: WorkerPool,
        throughput: ThroughputEstimator,
        log: Logger,
        discard: Callable[[Job], None],
    ) -> None:
        """discard: removes what a worker wrote for a job after the job had ended."""
        self._discard = discard
        self._paths = PrivatePaths(settings)
        self._settings = settings
        self._workers = workers
        self._log = log
        self._queued = JobQueue()
        self._shares = Shares(settings.max_queue_jobs, settings.max_queue_pixels)
        self._placement = Placement(workers, settings.worker_jobs, settings.worker_videos)
        self._quarantined = Quarantine()
        self._draining = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._throughput = throughput
        self._telling: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._workers.start(self)

    def status(self) -> QueueStatus:
        return QueueStatus(
            len(self._queued), len(self._placement.running), self._shares.pixels, self._draining
        )

    def refusal(self) -> PixelmendError | None:
        """Draining or NoWorker, with which every new job is refused now; a full queue aside."""
        if self._draining:
            return Draining("the service finishes accepted work and takes no more")
        worker = self._workers.status()
        return NoWorker(worker.problem or "no engine worker starts") if worker.hopeless else None

    def require_open(self, owner: str = "") -> None:
        """Raises Draining, NoWorker or QueueFull: the cheap check before an upload is read."""
        if (refusal := self.refusal()) is not None:
            raise refusal
        self._shares.require_place(owner)

    def require_room(self, job: Job) -> None:
        """Raises what `submit` would: Draining, NoWorker, QueueFull or InputQuarantined."""
        self._quarantined.require_absent(job.record.digest)
        self.require_open(job.owner)
        if not job.is_long:
            self._shares.require_pixels(job.pixels, job.owner)

    def require_pixels(self, pixels: int, owner: str = "") -> None:
        """Raises QueueFull if a result of so many pixels is too much beside what is waiting."""
        self._shares.require_pixels(pixels, owner)

    def submit(self, job: Job, *, admitted_before: bool = False) -> None:
        """Accept a job, or raise Draining, NoWorker, QueueFull or InputQuarantined.

        admitted_before: by an earlier run of the service; limits do not count.
        """
        if not admitted_before:
            self.require_room(job)
        self._queued.add(job)
        self._shares.add(job)
        self._idle.clear()
        self._dispatch()

    def cancel(self, job: Job, reason: PixelmendError | None = None) -> None:
        """End a job early; a running one gives up its device time within a tile."""
        if job.is_over:
            return
        self._placement.cancel(job)
        self._end(job, JobEvent.CANCEL, reason or Cancelled(f"job {job.id} was cancelled"))

    def retry_after_s(self) -> int:
        """Seconds until there is likely to be room, from the measured drain rate, with jitter."""
        measured_s = self._throughput.queue_seconds(self._shares.pixels)
        estimate = FIRST_GUESS_S if measured_s is None else measured_s
        return round(min(600.0, max(1.0, estimate)) * random.uniform(1.0, 1.5))

    def queue_position(self, job: Job) -> int | None:
        """How many jobs start before this one does, plus one; None if it is not queued."""
        return self._queued.position(job)

    def eta_s(self, job: Job) -> float | None:
        """Seconds until the job's end, from what was measured; None before anything was."""
        if job.state in ENDED:
            return 0.0
        own_pace_s = seconds_left_at_own_pace(job)
        if own_pace_s is not None:
            return own_pace_s
        before = self._queued.pixels_before(job) if job.state is JobState.QUEUED else 0
        beside = sum(
            remaining_pixels(other)
            for other in self._placement.running.values()
            if other is not job and (job.is_long or not other.is_long)
        )
        return self._throughput.queue_seconds(beside + before + job.pixels)

    def forecast_s(self, pixels: int) -> float | None:
        """Seconds until the end of a job of so many pixels, if it were submitted now; None as in `eta_s`."""
        running = sum(remaining_pixels(job) for job in self._placement.running.values() if not job.is_long)
        return self._throughput.queue_seconds(running + self._queued.pixels + pixels)

    def begin_draining(self) -> None:
        """Refuse new jobs from now on, and put aside what the next start of the service will take up."""
        self._draining = True
        for job in [job for job in self._queued if job.record.is_async and not job.waiters]:
            self._suspend(job)

    async def drain(self, timeout_s: float) -> bool:
        """Wait for accepted jobs to end. After `timeout_s` the rest are told that the service goes."""
        self.begin_draining()
        try:
            await asyncio.wait_for(self._idle.wait(), timeout_s)
        except TimeoutError:
            for job in [*self._queued, *self._placement.running.values()]:
                if job.record.is_async:
                    self._suspend(job)
                else:
                    self.cancel(job, stopped(job))
            return False
        return True

    async def stop(self) -> None:
        await self._workers.stop()

    # --- events from the workers ----------------------------------------------------------------------

    def on_worker_ready(self, index: int) -> None:
        self._dispatch()

    def on_worker_message(self, index: int, message: FromWorker) -> None:
        match message:
            case Progress(task_id=task_id, done_tiles=done, total_tiles=total):
                if (job := self._placement.running.get(task_id)) is not None:
                    if job.tiles_started_s is None:
                        job.tiles_started_s, job.first_done_tiles = time.monotonic(), done
                    if job.is_long and job.lost_workers and done > job.done_before_loss:
                        # It is past the place at which the worker was lost: that was not its fault.
                        job.lost_workers = job.crashes = 0
                        self._dispatch()
                    job.done_tiles, job.total_tiles = done, total
                    job.notify()
            case Done(task_id=task_id, report=report):
                job = self._placement.running.get(task_id)
                if job is None:
                    self._note_left(task_id)
                    return
                job.report = report
                if not job.is_long:
                    self._throughput.job_ended(report.total_s, job.pixels)
                self._end(job, JobEvent.FINISH)
            case Failed(task_id=task_id, code=code, message=text):
                if (job := self._placement.running.get(task_id)) is not None:
                    self._end(job, JobEvent.FAIL, error_from_code(code, self._paths.hidden(text)))
                self._note_left(task_id)
            case Returned(task_id=task_id):
                if (job := self._placement.running.pop(task_id, None)) is not None:
                    self._queued.put_back(job)
                    job.transition(JobEvent.REQUEUE)
                self._note_left(task_id)
                self._dispatch()
            case _:
                self._log.warning("unexpected message", kind=message.kind)

    def on_worker_lost(self, index: int, reason: str, *, by_itself: bool, crashed: bool = False) -> None:
        """Put what was in the worker back to the front of the queue; quarantine what ended it twice.

        by_itself: otherwise it was ended from here, which says nothing against an input. crashed: the next
        attempt must not do the very same, so it computes on the CPU.
        """
        running, retiring = self._placement.lose(index)
        for job in retiring:
            self._discard(job)
        for job in reversed(running):
            job.lost_workers += 1
            job.crashes += by_itself
            job.done_before_loss = max(job.done_before_loss, job.done_tiles)
            # A suspect runs alone, so there is no doubt about whose fault the second time was.
            if job.crashes >= MAX_CRASHES:
                self._quarantine(job, reason)
                continue
            if job.lost_workers >= MAX_LOST_WORKERS:
                lost = f"{job.lost_workers} workers were lost while job {job.id} was in them: {reason}"
                self._end(job, JobEvent.FAIL, NoWorker(lost))
                continue
            if crashed and not job.is_long:  # a film would take days there
                job.compute_on_cpu(f"its worker {reason}")
            self._log.warning(
                "job goes back to the queue", job=job.id, lost_workers=job.lost_workers, reason=reason
            )
            self._queued.put_back(job)
            job.transition(JobEvent.REQUEUE)
        self._fail_if_hopeless()
        # Another worker may be idle, and this one may never come back: no other event would follow.
        self._dispatch()

    # --- inside ---------------------------------------------------------------------------------------

    def _dispatch(self) -> None:
        """Give workers what they have room for."""
        blocked: set[int] = set()
        while (job := self._queued.first(blocked)) is not None:
            if self._placement.place(job):
                self._queued.take(job)
                job.transition(JobEvent.START)
            elif job.lost_workers:
                break  # a suspect waits for a worker to be empty; nothing may overtake it
            else:
                blocked.add(size_class(job))
        self._workers.expect_long_jobs(self._queued.long_jobs)

    def _suspend(self, job: Job) -> None:
        self._placement.cancel(job)
        self._end(job, JobEvent.SUSPEND, stopped(job))

    def _note_left(self, job_id: str) -> None:
        if (job := self._placement.left(job_id)) is not None:
            self._discard(job)
            self._dispatch()

    def _end(self, job: Job, event: JobEvent, error: PixelmendError | None = None) -> None:
        self._placement.forget(job)
        self._queued.discard(job)
        self._shares.remove(job)
        job.transition(event, error)
        job.end()
        if not self._queued and not self._placement.running:
            self._idle.set()
            self._throughput.went_idle()
        self._dispatch()
        if len(self._queued) and self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(POSITION_PERIOD_S, self._tell_positions)

    def _tell_positions(self) -> None:
        self._telling = None
        for waiting in self._queued:
            waiting.notify()  # it has moved up

    def _quarantine(self, job: Job, reason: str) -> None:
        self._quarantined.add(job.record.digest)
        self._log.error("input quarantined", job=job.id, sha256=job.record.digest, reason=reason)
        ended = f"this input (sha256 {job.record.digest[:12]}) ended {job.crashes} workers: {reason}"
        self._end(job, JobEvent.FAIL, InputQuarantined(ended))

    def _fail_if_hopeless(self) -> None:
        """If workers do not even start, only jobs that a later start can take up go on waiting."""
        worker = self._workers.status()
        if worker.hopeless:
            for job in [job for job in self._queued if not job.record.is_async]:
                self._end(job, JobEvent.FAIL, NoWorker(worker.problem or "no engine worker starts"))
