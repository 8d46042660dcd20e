"""Where work is handed in and its results are fetched: one job for the same work, remembered on the disk."""

import asyncio
import contextlib
import secrets
import time
from dataclasses import replace
from pathlib import Path

from pixelmend.core.background import Repeated
from pixelmend.core.config import Settings
from pixelmend.core.errors import Cancelled, IdempotencyMismatch, InternalError, PixelmendError
from pixelmend.core.telemetry import Logger
from pixelmend.jobs.batch_run import Manifest
from pixelmend.jobs.batches import Batches
from pixelmend.jobs.live import JobSnapshot, LiveJob, snapshot_of
from pixelmend.jobs.live_jobs import LiveJobs, failed_record
from pixelmend.jobs.metrics import Metrics
from pixelmend.jobs.model import ENDED, BatchTask, JobRecord, JobState
from pixelmend.jobs.rates import Rates
from pixelmend.jobs.retention import Retention
from pixelmend.jobs.runners import Runners
from pixelmend.jobs.scheduler import Scheduler
from pixelmend.jobs.spool import Spool
from pixelmend.jobs.store import JobStore
from pixelmend.jobs.submission import Lease, Submission
from pixelmend.tasks.registry import TaskRegistry

SWEEP_PERIOD_S = 5.0
MAX_STARTS = 100
"""A job with which the whole service died this often is given up: it may be what ends it."""
LISTED_JOBS = 200


class JobService:
    """All methods belong to one event loop."""

    def __init__(
        self,
        settings: Settings,
        spool: Spool,
        journal: JobStore,
        scheduler: Scheduler,
        metrics: Metrics,
        tasks: TaskRegistry,
        manifest: Manifest,
        log: Logger,
    ) -> None:
        self._settings = settings
        self._spool = spool
        self._journal = journal
        self._log = log
        self.run = secrets.token_hex(4)  # tells one start of the service from the next
        self.rates = Rates()
        self._metrics = metrics
        self.retention = Retention(journal, spool, settings.result_max_bytes, log)
        batches = Batches(
            settings,
            spool,
            self.retention,
            hand_in=self.accept,
            result_file=self.result_file,
            forecast_s=scheduler.forecast_s,
            manifest=manifest,
            log=log,
        )
        self._runners = Runners(scheduler, batches, spool, tasks)
        self._jobs = LiveJobs(
            spool,
            journal,
            self._runners.outlook,
            self.retention,
            on_end=self._note_end,
            result_ttl_s=settings.result_ttl_s,
            log=log,
        )
        self.sweeper = Repeated("sweeper", self.retention.try_sweep, SWEEP_PERIOD_S, log)
        self._drain: asyncio.Task[None] | None = None
        self.draining_begun = asyncio.Event()

    # --- start and stop ---------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take up what an earlier run left, and remove what belongs to nobody."""
        kept = set()
        lost = []
        for record in await self._journal.results():
            if record.report is not None:
                self.rates.learn(record.report, record.options.format)
            if record.result is not None and self._spool.result_path(record.result).is_file():
                kept.add(record.result.name)
            else:
                lost.append(record.id)
        await self._journal.expire(lost)
        unfinished = await self._journal.unfinished()
        for record in unfinished:
            kept.update((self._spool.input_path(record.id).name, self._spool.mask_path(record.id).name))
        removed = self._spool.remove_all_but(kept)
        for record in unfinished:
            await self._take_up(record)
        self._log.info("spool opened", taken_up=len(unfinished), removed_files=removed, lost=len(lost))
        self.sweeper.start()

    async def _take_up(self, record: JobRecord) -> None:
        path = self._spool.input_path(record.id)
        problem: PixelmendError | None = None
        if not path.exists():
            problem = InternalError("the job's input was lost")
        elif record.starts >= MAX_STARTS:
            problem = InternalError(f"the service was killed {record.starts} times with this job in it")
        if problem is not None:
            await self._journal.put(failed_record(record, JobState.FAILED, problem))
            self._spool.remove(record.id)
            return
        waiting = replace(record, state=JobState.QUEUED)
        self._jobs.enter(LiveJob(waiting, self._runners.resume(waiting, path)))

    @property
    def draining(self) -> bool:
        return self.draining_begun.is_set()

    async def drain(self) -> None:
        """Finish what somebody waits for; leave the rest to the next start. Tells all watchers."""
        if self._drain is None:
            drain = self._runners.drain(self._settings.drain_timeout_s)
            self._drain = asyncio.create_task(drain, name="drain")
            self.draining_begun.set()
            self._runners.begin_draining()
            self._jobs.wake_all()
        await self._drain

    async def close(self) -> None:
        """After the scheduler has stopped: record the last ends, then close the files."""
        await self._jobs.close()
        await self.sweeper.stop()
        self._journal.close()
        self._spool.close()

    # --- what clients ask -------------------------------------------------------------------------------

    async def accept(self, submission: Submission) -> Lease:
        """The job for that work: a finished one, a running one, or a new one.

        Where it is another job's than `submission.task.id`, the caller removes its own input. Raises what
        `Scheduler.submit` raises, QuotaExceeded, IdempotencyMismatch and StorageFull.
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
                live = self._jobs.of_content(key)
                if live is None:
                    return await self._find_or_begin(submission, key)
                if live.joinable:
                    return await self._join(self._lease(live), submission)
            # It failed or was cancelled an instant ago.
            await live.settled.wait()

    async def knows(self, owner: str, idempotency_key: str) -> bool:
        """A request with that key adds no work."""
        lease = await self._find_named(owner, idempotency_key)
        if lease is not None:
            lease.release()
        return lease is not None

    async def find(self, job_id: str) -> LiveJob | JobRecord | None:
        return self._jobs.get(job_id) or await self._journal.find(job_id)

    async def list_of(self, owner: str) -> list[JobSnapshot]:
        """What the owner asked for as jobs, newest first."""
        records = await self._journal.list_of(owner, LISTED_JOBS)
        return [self.snapshot(self._jobs.get(record.id) or record) for record in records]

    def snapshot(self, found: LiveJob | JobRecord) -> JobSnapshot:
        return snapshot_of(found) if isinstance(found, JobRecord) else self._jobs.snapshot(found)

    def lease(self, record: JobRecord) -> Lease:
        """Keeps the files of an ended job until it is released."""
        return self._lease(record)

    def result_file(self, record: JobRecord) -> Path | None:
        """None where the result is not there, or no longer. It stays while a lease is held."""
        path = None if record.result is None else self._spool.result_path(record.result)
        return path if path is not None and path.is_file() else None

    async def cancel(self, found: LiveJob | JobRecord) -> JobSnapshot:
        """End the job if it runs, give up its result if it has one; what it took is free afterwards."""
        if isinstance(found, LiveJob):
            self._runners.cancel(found.job, Cancelled(f"job {found.job.id} was cancelled by its owner"))
            await found.settled.wait()
            found = found.record
        if found.state not in ENDED:  # put aside for the next start
            found = failed_record(found, JobState.CANCELLED, Cancelled(f"job {found.id} was cancelled"))
            await self._journal.put(found)
            self.retention.discard(found)
        elif found.state is JobState.DONE:
            await self.retention.expire(found)
            found = replace(found, state=JobState.EXPIRED, result=None)
        return self.snapshot(found)

    # --- accepting ----------------------------------------------------------------------------------------

    async def _find_named(self, owner: str, idempotency_key: str) -> Lease | None:
        live = self._jobs.named(owner, idempotency_key)
        if live is not None:
            return self._lease(live)
        record = await self._journal.find_by_idempotency_key(owner, idempotency_key)
        if record is None or self.snapshot(record).state is JobState.EXPIRED:
            return None
        return self._lease(self._jobs.get(record.id) or record)

    async def _find_or_begin(self, submission: Submission, key: str) -> Lease:
        if submission.reuse:
            record = await self._journal.find_result(key)
            if record is not None:
                lease = self._lease(record)
                if self.result_file(record) is not None:
                    return await self._join(lease, submission)
                lease.release()
        task = submission.task
        self._runners.require_room(submission)
        submission.charge()
        record = JobRecord(
            id=task.id,
            task=submission.kind,
            owner=submission.owner,
            content_key=key,
            digest=submission.digest,
            options=task.options,
            pixels=submission.pixels,
            created_s=time.time(),
            asked=False,
            file_name=submission.file_name,
            request_id=submission.request_id,
            items=task.items if isinstance(task, BatchTask) else (),
        )
        live = LiveJob(record, self._runners.begin(record, task))
        self._jobs.enter(live)
        return await self._join(self._lease(live), submission)

    async def _join(self, lease: Lease, submission: Submission) -> Lease:
        """Add to the job what this submission wants of it, and write that down. Releases where it fails."""
        key, live = submission.idempotency_key, lease.live
        record = lease.record
        try:
            if live is not None and key is not None:
                self._jobs.name(live, key)
            if submission.asked and not record.asked:
                record = replace(record, asked=True)
                if live is not None:
                    # There until the end is recorded, which waits for us.
                    await asyncio.to_thread(self._spool.keep_input, record.id)
                await self._journal.put(record, key)
                if live is None:
                    return self._replaced(lease, record)
                live.record, live.job.durable = record, True
                # It may have been started while its record was being written.
                self._jobs.note_start(live)
            elif key is not None and record.asked:
                await self._journal.put(record, key)
        except BaseException:
            lease.release()
            raise
        return lease

    def _replaced(self, lease: Lease, record: JobRecord) -> Lease:
        other = self._lease(record)
        lease.release()
        return other

    def _lease(self, found: LiveJob | JobRecord) -> Lease:
        job_id = found.record.id if isinstance(found, LiveJob) else found.id
        self.retention.hold(job_id)
        if isinstance(found, JobRecord):
            return Lease(found, lambda _: self.retention.release(job_id))
        live = found
        live.job.waiters += 1

        def release(reason: PixelmendError | None) -> None:
            live.job.waiters -= 1
            if not live.job.waiters and not live.record.asked and not live.job.ended.is_set():
                self._runners.cancel(live.job, reason)
            self.retention.release(job_id)

        return Lease(live, release)

    # --- small things -------------------------------------------------------------------------------------

    def _note_end(self, record: JobRecord) -> None:
        self._metrics.job_ended(record)
        if record.report is not None:
            self.rates.learn(record.report, record.options.format)
