"""Jobs in SQLite: what is remembered of them when the process dies."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from pixelmend.errors import StorageFull
from pixelmend.serving.jobs import JobRecord, JobState
from pixelmend.telemetry import Logger

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    content_key TEXT NOT NULL,
    state TEXT NOT NULL,
    asked INTEGER NOT NULL,
    created_s REAL NOT NULL,
    ended_s REAL,
    expires_s REAL,
    result_bytes INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS jobs_by_content ON jobs (content_key, state);
CREATE INDEX IF NOT EXISTS jobs_by_owner ON jobs (owner, created_s);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, expires_s);
CREATE TABLE IF NOT EXISTS idempotency (
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    PRIMARY KEY (owner, key)
) STRICT;
"""
_UNFINISHED = (JobState.QUEUED.value, JobState.RUNNING.value)
_NO_ROOM = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_BUSY,  # somebody makes a copy of the database, say
    }
)

T = TypeVar("T")


class Journal:
    """Every method runs on one thread of its own, so that the event loop never waits for the disk.

    A method that has returned has its change on the disk (WAL, synchronous=FULL). All of them raise
    StorageFull where there is no room.
    """

    def __init__(self, path: Path, log: Logger) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._records = TypeAdapter(JobRecord)
        try:
            self._db = self._thread.submit(_open, path, log).result()
        except sqlite3.OperationalError as error:
            raise StorageFull(f"the job database {path} cannot be opened: {error}") from error

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
                    self._write(replace(record, state=JobState.RUNNING, starts=record.starts + 1))

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
        where = "owner = ? AND asked ORDER BY created_s DESC LIMIT ?"
        return await self._run(lambda: self._many(where, owner, limit))

    async def unfinished(self) -> list[JobRecord]:
        """In the order in which they should run: those that no service died with come first."""
        records = await self._run(lambda: self._many("state IN (?, ?) ORDER BY created_s", *_UNFINISHED))
        return sorted(records, key=lambda record: record.starts)

    async def results(self) -> list[JobRecord]:
        """Every job that has a result, oldest first."""
        return await self._run(lambda: self._many("state = ? ORDER BY ended_s", JobState.DONE.value))

    async def overdue(self) -> list[JobRecord]:
        where = "state = ? AND expires_s <= ?"
        return await self._run(lambda: self._many(where, JobState.DONE.value, time.time()))

    async def result_bytes(self) -> int:
        def work() -> int:
            sql = "SELECT coalesce(sum(result_bytes), 0) FROM jobs WHERE state = ?"
            return int(self._db.execute(sql, (JobState.DONE.value,)).fetchone()[0])

        return await self._run(work)

    async def expire(self, job_ids: Sequence[str]) -> None:
        """Done becomes expired; what nobody asked for as a job is forgotten at once."""

        def work() -> None:
            with self._db:
                for job_id in job_ids:
                    record = self._one("id = ? AND state = ?", job_id, JobState.DONE.value)
                    if record is None:
                        continue
                    if record.asked:
                        self._write(replace(record, state=JobState.EXPIRED, result=None))
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

    def close(self) -> None:
        self._thread.submit(self._db.close).result()
        self._thread.shutdown()

    # --- on the journal's thread ------------------------------------------------------------------------

    def _write(self, record: JobRecord) -> None:
        self._db.execute(
            "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
            "state = excluded.state, asked = excluded.asked, ended_s = excluded.ended_s, "
            "expires_s = excluded.expires_s, result_bytes = excluded.result_bytes, record = excluded.record",
            (
                record.id,
                record.owner,
                record.content_key,
                record.state.value,
                record.asked,
                record.created_s,
                record.ended_s,
                record.expires_s,
                record.result.size_bytes if record.result else 0,
                self._records.dump_json(record).decode(),
            ),
        )

    def _one(self, where: str, *values: object) -> JobRecord | None:
        # `where` is one of the constants above, never a caller's text.
        row = self._db.execute(f"SELECT record FROM jobs WHERE {where}", values).fetchone()  # noqa: S608
        return self._records.validate_json(row[0]) if row else None

    def _many(self, where: str, *values: object) -> list[JobRecord]:
        rows = self._db.execute(f"SELECT record FROM jobs WHERE {where}", values).fetchall()  # noqa: S608
        return [self._records.validate_json(row[0]) for row in rows]

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.OperationalError as error:
            # The low byte is the primary code; a full disk may be told as either of several.
            if error.sqlite_errorcode & 0xFF in _NO_ROOM:
                raise StorageFull(f"the job's record cannot be written now: {error}") from error
            raise


def _open(path: Path, log: Logger) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        # A damaged database must not keep the service from starting; it is put aside for whoever wants it.
        aside = path.with_name(f"{path.name}.damaged-{time.time():.0f}")
        log.error("the job database is damaged; beginning a new one", reason=str(error), kept_as=str(aside))
        path.replace(aside)
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        # FULL: a job that was answered with 202 is still there after a power cut.
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        db.executescript(_SCHEMA)
    except sqlite3.Error:
        db.close()
        raise
    return db
