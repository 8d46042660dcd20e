"""Where work is submitted and its results are fetched: one job for the same work, remembered on the disk."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pixelmend.core.background import Repeated
from pixelmend.core.config import Settings
from pixelmend.core.errors import Cancelled, IdempotencyMismatch, InternalError, PixelmendError
from pixelmend.core.telemetry import Logger
from pixelmend.imaging.formats import FormatRegistry
from pixelmend.jobs.batch_run import Manifest
from pixelmend.jobs.batches import BatchRunner
from pixelmend.jobs.live_jobs import LiveJobs
from pixelmend.jobs.model import ENDED, BatchTask, Job, JobEvent, JobRecord, JobState
from pixelmend.jobs.retention import Retention
from pixelmend.jobs.runner import Runner
from pixelmend.jobs.scheduler import Scheduler
from pixelmend.jobs.snapshot import History, JobSnapshot, snapshot_now, snapshot_of
from pixelmend.jobs.spool import Spool
from pixelmend.jobs.store import JobStore
from pixelmend.jobs.submission import Lease, Submission, resumed_task
from pixelmend.jobs.throughput import ThroughputEstimator
from pixelmend.tasks.image import ImageTask
from pixelmend.tasks.registry import TaskRegistry

SWEEP_PERIOD_S = 5.0
MAX_ATTEMPTS = 100
"""A job with which the whole service died this often is given up: it may be what ends it."""
LISTED_JOBS = 200


class JobService:
    """All methods belong to one event loop."""

    def __init__(
        self,
        settings: Settings,
        spool: Spool,
        store: JobStore,
        scheduler: Scheduler,
        throughput: ThroughputEstimator,
        on_end: Callable[[JobRecord], None],
        tasks: TaskRegistry,
        formats: FormatRegistry,
        manifest: Manifest,
        log: Logger,
    ) -> None:
        """on_end: called with each end once it is recorded."""
        self._settings = settings
        self._spool = spool
        self._store = store
        self._scheduler = scheduler
        self._tasks = tasks
        self._formats = formats
        self._log = log
        self.run = secrets.token_hex(4)  # tells one start of the service from the next
        self.throughput = throughput
        self.retention = Retention(store, spool, settings.result_max_bytes, log)
        self._batches = BatchRunner(settings, spool, formats, self.retention, scheduler, self, manifest, log)
        self._jobs = LiveJobs(
            spool,
            store,
            self.retention,
            snapshot=self.snapshot,
            on_end=on_end,
            result_ttl_s=settings.result_ttl_s,
            log=log,
        )
        self.live_of = self._jobs.of_owner
        self.sweeper = Repeated("sweeper", self.retention.try_sweep, SWEEP_PERIOD_S, log)
        self._drain: asyncio.Task[None] | None = None
        self.draining_begun = asyncio.Event()

    async def start(self) -> None:
        """Take up what an earlier run left, and remove what belongs to no job."""
        kept = set()
        lost = []
        for record in await self._store.results():
            if record.report is not None:
                self.throughput.learn(record.report, record.options.format)
            if record.result is not None and self._spool.result_path(record.result).is_file():
                kept.add(record.result.name)
            else:
                lost.append(record.id)
        await self._store.expire(lost)
        unfinished = await self._store.unfinished()
        for record in unfinished:
            kept.update(path.name for path in self._spool.paths_to_go_on_with(record.id))
        removed = self._spool.remove_all_but(kept)
        for record in unfinished:
            await self._resume(record)
        self._log.info("spool opened", taken_up=len(unfinished), removed_files=removed, lost=len(lost))
        self.sweeper.start()

    async def _resume(self, record: JobRecord) -> None:
        """Take up a job of an earlier run; limits do not count."""
        try:
            if not self._spool.input_path(record.id).exists():
                raise InternalError("the job's input was lost")
            if record.attempts >= MAX_ATTEMPTS:
                raise InternalError(f"the service was killed {record.attempts} times with this job in it")
            if record.state is JobState.RUNNING:
                record = record.after(JobEvent.REQUEUE)
            job = self._job(record, resumed_task(record, self._spool, self._tasks, self._formats))
        except PixelmendError as problem:
            await self._store.put(record.after_error(JobEvent.FAIL, problem, time.time()))
            self._spool.remove(record.id)
            return
        self._runner_of(job).submit(job, admitted_before=True)
        self._jobs.enter(job)

    @property
    def draining(self) -> bool:
        return self.draining_begun.is_set()

    async def drain(self) -> None:
        """Finish what requests wait for; leave the rest to the next start. Tells all watchers."""
        if self._drain is None:
            self._drain = asyncio.create_task(self._finish_accepted(), name="drain")
            self.draining_begun.set()
            # Batches first, since what is suspended there leaves the queue.
            self._batches.begin_draining()
            self._scheduler.begin_draining()
            self._jobs.wake_all()
        await self._drain

    async def _finish_accepted(self) -> None:
        await self._scheduler.drain(self._settings.drain_timeout_s)
        await self._batches.drain()

    async def close(self) -> None:
        """After the scheduler has stopped: record the last ends, then close the files."""
        await self._jobs.close()
        await self.sweeper.stop()
        self._store.close()
        self._spool.close()

    async def submit(self, submission: Submission) -> Lease:
        """The job for that work: a finished one, a running one, or a new one.

        If it is another job's than `submission.task.id`, the caller removes its own input. Raises what the
        runner's `submit` raises, QuotaExceeded, IdempotencyMismatch and StorageFull.
        """
        key = submission.content_key
        named = f"{submission.owner} {submission.idempotency_key}" if submission.idempotency_key else key
        while True:
            async with (
                self._jobs.lock(named),
                self._jobs.lock(key) if named != key else contextlib.nullcontext(),
            ):
                if submission.idempotency_key is not None:
                    found = await self._find_named(submission.owner, submission.idempotency_key)
                    if found is not None:
                        if found.record.content_key != key:
                            found.release()
                            raise IdempotencyMismatch(
                                f"Idempotency-Key {submission.idempotency_key[:64]!r} belongs to job "
                                f"{found.record.id}, which has another image or other options"
                            )
                        return await self._join(found, submission)
                job = self._jobs.of_content(key)
                if job is None:
                    return await self._find_or_begin(submission, key)
                if job.joinable:
                    return await self._join(self.lease(job), submission)
            # It failed or was cancelled an instant ago.
            await job.settled.wait()

    async def knows(self, owner: str, idempotency_key: str) -> bool:
        """A request with that key adds no work."""
        lease = await self._find_named(owner, idempotency_key)
        if lease is not None:
            lease.release()
        return lease is not None

    async def find(self, job_id: str) -> Job | JobRecord | None:
        return self._jobs.get(job_id) or await self._store.find(job_id)

    async def list_of(self, owner: str) -> list[JobSnapshot]:
        """What the owner asked for as jobs, newest first."""
        records = await self._store.list_of(owner, LISTED_JOBS)
        return [self.snapshot(self._jobs.get(record.id) or record) for record in records]

    def snapshot(self, found: Job | JobRecord) -> JobSnapshot:
        if isinstance(found, JobRecord):
            return snapshot_of(found)
        if found.record.state in ENDED:
            return snapshot_of(found.record)
        runner = self._runner_of(found)
        return snapshot_now(found, runner.queue_position(found), runner.eta_s(found))

    def history(self, job: Job) -> History:
        return self._jobs.history(job)

    def result_file(self, record: JobRecord) -> Path | None:
        """None if the result is not there, or no longer. It stays while a lease is held."""
        path = None if record.result is None else self._spool.result_path(record.result)
        return path if path is not None and path.is_file() else None

    async def cancel(self, found: Job | JobRecord) -> JobSnapshot:
        """End the job if it runs, give up its result if it has one; what it took is free afterwards."""
        if isinstance(found, Job):
            self._runner_of(found).cancel(found, Cancelled(f"job {found.id} was cancelled by its owner"))
            await found.settled.wait()
            found = found.record
        if found.state not in ENDED:  # suspended until the next start
            reason = Cancelled(f"job {found.id} was cancelled")
            found = found.after_error(JobEvent.CANCEL, reason, time.time())
            await self._store.put(found)
            self.retention.discard(found)
        elif found.state is JobState.DONE:
            await self.retention.expire(found)
            found = found.after(JobEvent.EXPIRE, result=None)
        return self.snapshot(found)

    def lease(self, found: Job | JobRecord) -> Lease:
        """Keeps the job's files until it is released, and a job running that nothing else asked for."""
        job_id = found.id
        self.retention.hold(job_id)
        if isinstance(found, JobRecord):
            return Lease(found, lambda _: self.retention.release(job_id))
        job = found
        job.waiters += 1

        def release(reason: PixelmendError | None) -> None:
            job.waiters -= 1
            if not job.waiters and not job.record.is_async and not job.ended.is_set():
                self._runner_of(job).cancel(job, reason)
            self.retention.release(job_id)

        return Lease(job, release)

    async def _find_named(self, owner: str, idempotency_key: str) -> Lease | None:
        job = self._jobs.named(owner, idempotency_key)
        if job is not None:
            return self.lease(job)
        record = await self._store.find_by_idempotency_key(owner, idempotency_key)
        if record is None or self.snapshot(record).state is JobState.EXPIRED:
            return None
        return self.lease(self._jobs.get(record.id) or record)

    async def _find_or_begin(self, submission: Submission, key: str) -> Lease:
        if submission.reuse:
            record = await self._store.find_result(key)
            if record is not None:
                lease = self.lease(record)
                if self.result_file(record) is not None:
                    return await self._join(lease, submission)
                lease.release()
        job = self._job(submission.record(time.time()), submission.task)
        runner = self._runner_of(job)
        runner.require_room(job)
        submission.charge()
        runner.submit(job)
        self._jobs.enter(job)
        return await self._join(self.lease(job), submission)

    async def _join(self, lease: Lease, submission: Submission) -> Lease:
        """Add to the job what this submission wants of it, and write that down. Releases if it fails."""
        key, job = submission.idempotency_key, lease.job
        record = lease.record
        try:
            if job is not None and key is not None:
                self._jobs.name(job, key)
            if submission.is_async and not record.is_async:
                if job is not None:
                    # There until the end is recorded, which waits for us.
                    await asyncio.to_thread(self._spool.keep_input, record.id)
                written = replace(lease.record, is_async=True)
                await self._store.put(written, key)
                if job is None:
                    other = self.lease(written)
                    lease.release()
                    return other
                # It may have been started while its record was being written.
                job.record = replace(job.record, is_async=True)
                self._jobs.note_written(job, written.attempts)
            elif key is not None and record.is_async:
                await self._store.put(record, key)
        except BaseException:
            lease.release()
            raise
        return lease

    def _job(self, record: JobRecord, task: ImageTask | BatchTask) -> Job:
        return Job.of(record, task, is_long=self._tasks.kind(record.task).task.is_long)

    def _runner_of(self, job: Job) -> Runner:
        return self._batches if isinstance(job.task, BatchTask) else self._scheduler
