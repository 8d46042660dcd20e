"""The jobs of this run of the service, each on its way to an end that is recorded once."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from typing import Any
from weakref import WeakValueDictionary

from pixelmend.core.errors import InternalError, StorageFull
from pixelmend.core.telemetry import Logger
from pixelmend.jobs.model import Job, JobEvent, JobRecord, JobState
from pixelmend.jobs.retention import Retention
from pixelmend.jobs.snapshot import History, JobSnapshot
from pixelmend.jobs.spool import Spool
from pixelmend.jobs.store import JobStore

RETRY_PERIOD_S = 1.0
SETTLE_TIMEOUT_S = 5.0

_END_EVENTS = {JobState.FAILED: JobEvent.FAIL, JobState.CANCELLED: JobEvent.CANCEL}


class LiveJobs:
    """All methods belong to one event loop."""

    def __init__(
        self,
        spool: Spool,
        store: JobStore,
        retention: Retention,
        *,
        snapshot: Callable[[Job], JobSnapshot],
        on_end: Callable[[JobRecord], None],
        result_ttl_s: float,
        log: Logger,
    ) -> None:
        """snapshot: of a job now. on_end: called with each end once it is recorded."""
        self._spool = spool
        self._store = store
        self._retention = retention
        self._snapshot = snapshot
        self._on_end = on_end
        self._result_ttl_s = result_ttl_s
        self._log = log
        self._by_id: dict[str, Job] = {}
        self._by_content: dict[str, Job] = {}
        self._by_name: dict[tuple[str, str], Job] = {}
        self._histories: dict[str, History] = {}
        self._recorded_attempts: dict[str, int] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[None]] = set()

    def get(self, job_id: str) -> Job | None:
        return self._by_id.get(job_id)

    def of_content(self, content_key: str) -> Job | None:
        return self._by_content.get(content_key)

    def of_owner(self, owner: str) -> list[JobSnapshot]:
        """The owner's jobs that have not ended, whether a request waits for them or not, oldest first.

        The images of a batch are part of it.
        """
        parts = {child.id for job in self._by_id.values() for child in job.children.values()}
        jobs = [job for job in self._by_id.values() if job.owner == owner and job.id not in parts]
        return [self._snapshot(job) for job in jobs if not job.is_over]

    def named(self, owner: str, idempotency_key: str) -> Job | None:
        return self._by_name.get((owner, idempotency_key))

    def name(self, job: Job, idempotency_key: str) -> None:
        """The job is found by that key of its owner, too."""
        if idempotency_key not in job.idempotency_keys:
            job.idempotency_keys.append(idempotency_key)
            self._by_name[job.owner, idempotency_key] = job

    def lock(self, key: str) -> asyncio.Lock:
        """Held while it is decided whether work of that content is new, and while its end is recorded."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock

    def history(self, job: Job) -> History:
        """It goes on for as long as anything holds it."""
        history = self._histories.get(job.id)
        if history is None:
            history = History(job, lambda: self._snapshot(job))
            history.note()
        return history

    def wake_all(self) -> None:
        for job in self._by_id.values():
            job.notify()

    async def close(self) -> None:
        """Give the last ends a moment to be recorded; the next start takes up what was not."""
        settling = [task for task in self._tasks if task.get_name() == "settle"]
        if settling:
            await asyncio.wait(settling, timeout=SETTLE_TIMEOUT_S)
        for task in list(self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def enter(self, job: Job) -> None:
        self._by_id[job.id] = job
        self._by_content[job.record.content_key] = job
        self._recorded_attempts[job.id] = job.record.attempts
        history = self._histories[job.id] = History(job, lambda: self._snapshot(job))
        history.note()
        job.observe(history.note)
        job.observe(lambda: self._note_start(job))
        self._spawn(self._settle(job), "settle")
        self._note_start(job)

    def note_written(self, job: Job, attempts: int) -> None:
        """The job's record is on the disk, with so many attempts."""
        self._recorded_attempts[job.id] = attempts
        self._note_start(job)

    def _note_start(self, job: Job) -> None:
        """Write down that a worker has the job, if it is one whose record outlives this process."""
        attempts = job.record.attempts
        if job.record.is_async and attempts > self._recorded_attempts.get(job.id, attempts):
            self._recorded_attempts[job.id] = attempts
            self._spawn(self._write_start(job.id))

    async def _write_start(self, job_id: str) -> None:
        with contextlib.suppress(StorageFull):  # only a count that guards against a rare fault
            await self._store.start(job_id)

    async def _settle(self, job: Job) -> None:
        """Record the end, then let the watchers know; in this order, so that nothing is told twice."""
        await job.ended.wait()
        # Not while a request joins: what it wants of the job would be lost.
        async with self.lock(job.record.content_key):
            try:
                if job.state is not JobState.SUSPENDED:
                    job.record = await self._recorded_end(job)
                    self._on_end(job.record)
            except Exception as error:
                # A bug; the store still has the job as unfinished, so the next start tries again.
                self._log.error("a job's end was not recorded", job=job.id, exc_info=error)
            finally:
                del self._by_id[job.id], self._histories[job.id], self._recorded_attempts[job.id]
                if self._by_content.get(job.record.content_key) is job:
                    del self._by_content[job.record.content_key]
                for key in job.idempotency_keys:
                    self._by_name.pop((job.owner, key), None)
        job.settled.set()
        job.notify()
        if job.record.state is JobState.DONE:
            await self._retention.try_sweep()

    async def _recorded_end(self, job: Job) -> JobRecord:
        """The files that are needed no longer go once the record is written."""
        record = await self._ended_record(job)
        kept = record.is_async or record.state is JobState.DONE
        kept = kept and await self._write_end(record, job.idempotency_keys)
        if kept and record.state is JobState.DONE:
            self._spool.remove_input(record.id)
        else:
            self._retention.discard(record)
        return record

    async def _ended_record(self, job: Job) -> JobRecord:
        record, now_s = job.record, time.time()
        changes = {"items": tuple(job.items)} if job.is_batch else {}
        if job.state is not JobState.DONE:
            error = job.error or InternalError("it ended without a reason")
            return record.after_error(_END_EVENTS[job.state], error, now_s, **changes)
        try:
            result = await asyncio.to_thread(self._spool.keep_result, job.task.output_path)
        except OSError as error:
            self._log.error("a result is not readable", job=record.id, exc_info=error)
            lost = InternalError("the result was not readable")
            return record.after_error(JobEvent.FAIL, lost, now_s, **changes)
        return record.after(
            JobEvent.FINISH,
            ended_s=now_s,
            expires_s=now_s + self._result_ttl_s,
            report=job.report,
            result=result,
            **changes,
        )

    async def _write_end(self, record: JobRecord, idempotency_keys: list[str]) -> bool:
        """False if there is no room for the record of what no client was promised."""
        while True:
            try:
                await self._store.put(record)
                for key in idempotency_keys:
                    await self._store.put(record, key)
                return True
            except StorageFull as error:
                if not record.is_async:
                    return False
                self._log.error("a job's end cannot be recorded yet", job=record.id, reason=error.message)
                await asyncio.sleep(RETRY_PERIOD_S)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str | None = None) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
