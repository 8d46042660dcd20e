"""Jobs in SQLite: what is remembered of them when the process dies."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from pixelmend.core.errors import PixelmendError, StorageFull, StorageUnusable
from pixelmend.core.telemetry import Logger
from pixelmend.jobs import delivery_rows
from pixelmend.jobs.database import JobDatabase
from pixelmend.jobs.delivery_rows import AWAITED, Delivery, DeliveryKind
from pixelmend.jobs.model import JobEvent, JobRecord, JobState

_UNFINISHED = (JobState.QUEUED.value, JobState.RUNNING.value)
_NO_ROOM = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_BUSY,  # a copy of the database is being made, say
    }
)

MOST_DUE = 256
"""Deliveries that are looked at in one round; more wait for their places."""

T = TypeVar("T")


class JobStore:
    """Every method runs on one thread of its own, so that the event loop never waits for the disk.

    A method that has returned has its change on the disk (WAL, synchronous=FULL). All of them raise
    StorageFull if there is no room, StorageUnusable for a damaged file. A row that cannot be read is put
    aside by itself, into the table `unreadable`, and is then as if it had never been.
    """

    def __init__(self, path: Path, log: Logger) -> None:
        """Raises what `JobDatabase` raises."""
        self._log = log
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="job store")
        self._records = TypeAdapter(JobRecord)
        self._damage: str | None = None
        try:
            self._file = self._thread.submit(JobDatabase, path, log).result()
        except BaseException:
            self._thread.shutdown()
            raise
        self._db = self._file.db

    def refusal(self) -> PixelmendError | None:
        """Why no new job may be accepted: what is written now would be lost. None while all is well."""
        problem = self._damage or self._file.problem()
        return None if problem is None else StorageUnusable(problem)

    async def put(self, record: JobRecord, idempotency_key: str | None = None) -> None:
        """Add the job, or replace what is known of it."""

        def work() -> None:
            with self._db:
                self._write(record)
                if idempotency_key is not None:
                    self._db.execute(
                        "INSERT OR REPLACE INTO idempotency VALUES (?, ?, ?)",
                        (record.owner, idempotency_key, record.id),
                    )

        await self._run(work)

    async def start(self, job_id: str) -> None:
        """Remember that a worker has the job; the count tells how often a service died with it."""

        def work() -> None:
            with self._db:
                record = self._one("id = ? AND state IN (?, ?)", job_id, *_UNFINISHED)
                if record is not None:
                    started = record.after(JobEvent.START) if record.state is JobState.QUEUED else record
                    self._write(replace(started, attempts=record.attempts + 1))

        await self._run(work)

    async def find(self, job_id: str) -> JobRecord | None:
        return await self._run(lambda: self._one("id = ?", job_id))

    async def find_result(self, content_key: str) -> JobRecord | None:
        """The newest finished job of that content whose result is still kept."""
        where = "content_key = ? AND state = ? AND expires_s > ? ORDER BY created_s DESC"
        return await self._run(lambda: self._one(where, content_key, JobState.DONE.value, time.time()))

    async def find_by_idempotency_key(self, owner: str, key: str) -> JobRecord | None:
        where = "id = (SELECT job_id FROM idempotency WHERE owner = ? AND key = ?)"
        return await self._run(lambda: self._one(where, owner, key))

    async def list_of(self, owner: str, limit: int) -> list[JobRecord]:
        """What the owner asked for as jobs, newest first."""
        where = "owner = ? AND is_async ORDER BY created_s DESC LIMIT ?"
        return await self._run(lambda: self._many(where, owner, limit))

    async def unfinished(self) -> list[JobRecord]:
        """In the order in which they should run: those that no service died with come first."""
        records = await self._run(lambda: self._many("state IN (?, ?) ORDER BY created_s", *_UNFINISHED))
        return sorted(records, key=lambda record: record.attempts)

    async def results(self) -> list[JobRecord]:
        """Every job that has a result, oldest first."""
        return await self._run(lambda: self._many("state = ? ORDER BY ended_s", JobState.DONE.value))

    async def overdue(self) -> list[JobRecord]:
        """Jobs whose results are to be kept no longer, and are not to be delivered any more."""
        where = f"state = ? AND expires_s <= ? AND id NOT IN ({AWAITED})"
        return await self._run(lambda: self._many(where, JobState.DONE.value, time.time()))

    async def result_bytes(self) -> int:
        def work() -> int:
            sql = "SELECT coalesce(sum(result_bytes), 0) FROM jobs WHERE state = ?"
            return int(self._db.execute(sql, (JobState.DONE.value,)).fetchone()[0])

        return await self._run(work)

    async def expire(self, job_ids: Sequence[str]) -> None:
        """Done becomes expired; what no client asked for as a job is forgotten at once."""

        def work() -> None:
            with self._db:
                for job_id in job_ids:
                    record = self._one("id = ? AND state = ?", job_id, JobState.DONE.value)
                    if record is None:
                        continue
                    if record.is_async:
                        self._write(record.after(JobEvent.EXPIRE, result=None))
                    else:
                        self._db.execute("DELETE FROM jobs WHERE id = ?", (job_id,))

        await self._run(work)

    async def forget(self, ended_before_s: float) -> None:
        """Delete jobs that ended before that time and have no result."""

        def work() -> None:
            with self._db:
                self._db.execute(
                    "DELETE FROM jobs WHERE ended_s < ? AND state NOT IN (?, ?, ?)",
                    (ended_before_s, JobState.DONE.value, *_UNFINISHED),
                )

        await self._run(work)

    async def add_deliveries(self, job_id: str, urls: Mapping[DeliveryKind, str]) -> None:
        def work() -> None:
            with self._db:
                for kind, url in urls.items():
                    delivery_rows.add(self._db, job_id, kind, url)

        await self._run(work)

    async def note_delivery(self, delivery: Delivery) -> None:
        def work() -> None:
            with self._db:
                delivery_rows.note(self._db, delivery)

        await self._run(work)

    async def deliveries_of(self, job_id: str) -> list[Delivery]:
        """Those that wait come first, then the latest."""
        return await self._run(lambda: delivery_rows.of_job(self._db, job_id))

    async def due_deliveries(self) -> list[tuple[Delivery, JobRecord]]:
        """Those whose jobs have ended, with these."""

        def work() -> list[tuple[Delivery, JobRecord]]:
            due = delivery_rows.due(self._db, MOST_DUE)
            found = [(delivery, self._one("id = ?", delivery.job_id)) for delivery in due]
            return [(delivery, record) for delivery, record in found if record is not None]

        return await self._run(work)

    def close(self) -> None:
        self._thread.submit(self._db.close).result()  # closed on its own thread, as sqlite3 wants it
        self._thread.shutdown()

    # --- on the store's thread ------------------------------------------------------------------------

    def _write(self, record: JobRecord) -> None:
        self._db.execute(
            "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
            "state = excluded.state, is_async = excluded.is_async, ended_s = excluded.ended_s, "
            "expires_s = excluded.expires_s, result_bytes = excluded.result_bytes, record = excluded.record",
            (
                record.id,
                record.owner,
                record.content_key,
                record.state.value,
                record.is_async,
                record.created_s,
                record.ended_s,
                record.expires_s,
                record.result.size_bytes if record.result else 0,
                self._records.dump_json(record).decode(),
            ),
        )

    def _one(self, where: str, *values: object) -> JobRecord | None:
        return next(iter(self._many(f"{where} LIMIT 1", *values)), None)

    def _many(self, where: str, *values: object) -> list[JobRecord]:
        # `where` is one of the constants above, never a caller's text. As bytes: text that is not UTF-8 would
        # fail the whole query.
        query = f"SELECT rowid, CAST(record AS BLOB) FROM jobs WHERE {where}"  # noqa: S608
        records = []
        for row_id, text in self._db.execute(query, values).fetchall():
            try:
                records.append(self._records.validate_json(text))
            except (ValueError, RecursionError) as error:
                self._put_aside(row_id, error)
        return records

    def _put_aside(self, row_id: int, error: Exception) -> None:
        self._log.error("a job's row is not readable and is put aside", row=row_id, reason=str(error)[:1000])
        with self._db:
            self._db.execute(
                "INSERT INTO unreadable SELECT id, CAST(record AS BLOB), ?, ? FROM jobs WHERE rowid = ?",
                (str(error)[:1000], time.time(), row_id),
            )
            self._db.execute("DELETE FROM jobs WHERE rowid = ?", (row_id,))

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.OperationalError as error:
            # The low byte is the primary code; a full disk may be told as either of several.
            if error.sqlite_errorcode & 0xFF in _NO_ROOM:
                raise StorageFull(f"the job's record cannot be written now: {error}") from error
            raise
        except sqlite3.DatabaseError as error:
            self._damage = f"the job database is damaged: {error}; restart the service"
            raise StorageUnusable(self._damage) from error
