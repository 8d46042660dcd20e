"""The jobs of this run of the service, each on its way to an end that is recorded once."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any
from weakref import WeakValueDictionary

from pixelmend.core.errors import InternalError, PixelmendError, StorageFull
from pixelmend.core.telemetry import Logger
from pixelmend.jobs.live import JobSnapshot, LiveJob, snapshot_of
from pixelmend.jobs.model import ENDED, BatchJob, Job, JobRecord, JobState, Work
from pixelmend.jobs.retention import Retention
from pixelmend.jobs.spool import Spool
from pixelmend.jobs.store import JobStore

RETRY_PERIOD_S = 1.0
SETTLE_TIMEOUT_S = 5.0

Outlook = Callable[[Work], tuple[int | None, float | None]]
"""A job's place in the queue, from 1, and the seconds until its end, as far as they are known."""


class LiveJobs:
    """All methods belong to one event loop."""

    def __init__(
        self,
        spool: Spool,
        journal: JobStore,
        outlook: Outlook,
        retention: Retention,
        *,
        on_end: Callable[[JobRecord], None],
        result_ttl_s: float,
        log: Logger,
    ) -> None:
        self._spool = spool
        self._journal = journal
        self._outlook = outlook
        self._retention = retention
        self._on_end = on_end
        self._result_ttl_s = result_ttl_s
        self._log = log
        self._by_id: dict[str, LiveJob] = {}
        self._by_content: dict[str, LiveJob] = {}
        self._by_name: dict[tuple[str, str], LiveJob] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[None]] = set()

    def get(self, job_id: str) -> LiveJob | None:
        return self._by_id.get(job_id)

    def of_content(self, content_key: str) -> LiveJob | None:
        return self._by_content.get(content_key)

    def named(self, owner: str, idempotency_key: str) -> LiveJob | None:
        return self._by_name.get((owner, idempotency_key))

    def name(self, live: LiveJob, idempotency_key: str) -> None:
        """The job is found by that key of its owner, too."""
        if idempotency_key not in live.idempotency_keys:
            live.idempotency_keys.append(idempotency_key)
            self._by_name[live.record.owner, idempotency_key] = live

    def lock(self, key: str) -> asyncio.Lock:
        """Held while it is decided whether work of that content is new, and while its end is recorded."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock

    def snapshot(self, live: LiveJob) -> JobSnapshot:
        state = live.state
        if state in ENDED:
            return snapshot_of(live.record)
        job = live.job
        place, eta_s = self._outlook(job)
        items = tuple(job.items) if isinstance(job, BatchJob) else ()
        return JobSnapshot(
            live.record,
            state,
            job.done_tiles,
            job.total_tiles,
            job.fraction,
            place if state is JobState.QUEUED else None,
            eta_s,
            items,
        )

    def wake_all(self) -> None:
        for live in self._by_id.values():
            live.wake()

    async def close(self) -> None:
        """Give the last ends a moment to be recorded; the next start takes up what was not."""
        settling = [task for task in self._tasks if task.get_name() == "settle"]
        if settling:
            await asyncio.wait(settling, timeout=SETTLE_TIMEOUT_S)
        for task in list(self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def enter(self, live: LiveJob) -> None:
        self._by_id[live.record.id] = live
        self._by_content[live.record.content_key] = live
        live.changed(lambda: self.snapshot(live))
        live.job.listeners.append(lambda _: self._on_change(live))
        self._spawn(self._settle(live), "settle")
        self.note_start(live)

    def _on_change(self, live: LiveJob) -> None:
        live.changed(lambda: self.snapshot(live))
        self.note_start(live)

    def note_start(self, live: LiveJob) -> None:
        if live.job.durable and live.job.state is JobState.RUNNING and live.record.state is JobState.QUEUED:
            live.record = replace(live.record, state=JobState.RUNNING, starts=live.record.starts + 1)
            self._spawn(self._write_start(live.record.id))

    async def _write_start(self, job_id: str) -> None:
        with contextlib.suppress(StorageFull):  # only a count that guards against a rare fault
            await self._journal.start(job_id)

    async def _settle(self, live: LiveJob) -> None:
        """Record the end, then let the watchers know; in this order, so that nothing is told twice."""
        await live.job.ended.wait()
        # Not while somebody joins: what they want of it would be lost.
        async with self.lock(live.record.content_key):
            try:
                if not live.job.parked:
                    live.record = await self._recorded_end(live)
                    self._on_end(live.record)
            except Exception as error:
                # A bug; the journal still has the job as unfinished, so the next start tries again.
                self._log.error("a job's end was not recorded", job=live.record.id, exc_info=error)
                live.job.parked = True
            finally:
                del self._by_id[live.record.id]
                if self._by_content.get(live.record.content_key) is live:
                    del self._by_content[live.record.content_key]
                for key in live.idempotency_keys:
                    self._by_name.pop((live.record.owner, key), None)
        live.settled.set()
        live.changed(lambda: self.snapshot(live))
        if live.record.state is JobState.DONE:
            await self._retention.try_sweep()

    async def _recorded_end(self, live: LiveJob) -> JobRecord:
        """The files that are needed no longer go once the record is written."""
        record = await self._ended_record(live)
        kept = record.asked or record.state is JobState.DONE
        kept = kept and await self._write_end(record, live.idempotency_keys)
        if kept and record.state is JobState.DONE:
            self._spool.remove_input(record.id)
        else:
            self._retention.discard(record)
        return record

    async def _ended_record(self, live: LiveJob) -> JobRecord:
        job, record = live.job, live.record
        if isinstance(job, BatchJob):
            record = replace(record, items=tuple(job.items))
        if job.state is not JobState.DONE:
            return failed_record(record, job.state, job.error or InternalError("it ended without a reason"))
        try:
            result = await asyncio.to_thread(self._spool.keep_result, job.output_path)
        except OSError as error:
            self._log.error("a result is not readable", job=record.id, exc_info=error)
            return failed_record(record, JobState.FAILED, InternalError("the result was not readable"))
        now = time.time()
        return replace(
            record,
            state=JobState.DONE,
            ended_s=now,
            expires_s=now + self._result_ttl_s,
            report=job.report if isinstance(job, Job) else None,
            result=result,
        )

    async def _write_end(self, record: JobRecord, idempotency_keys: list[str]) -> bool:
        """False where there is no room for the record of what nobody was promised."""
        while True:
            try:
                await self._journal.put(record)
                for key in idempotency_keys:
                    await self._journal.put(record, key)
                return True
            except StorageFull as error:
                if not record.asked:
                    return False
                self._log.error("a job's end cannot be recorded yet", job=record.id, reason=error.message)
                await asyncio.sleep(RETRY_PERIOD_S)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str | None = None) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def failed_record(record: JobRecord, state: JobState, error: PixelmendError) -> JobRecord:
    return replace(
        record, state=state, ended_s=time.time(), error_code=error.code, error_message=error.message
    )
