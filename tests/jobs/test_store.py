"""The job database when its rows or its file are not what they were."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from pixelmend.core.errors import DataDirectoryNewer, StorageUnusable
from pixelmend.core.telemetry import Logger
from pixelmend.jobs.database import SCHEMA_VERSION
from pixelmend.jobs.model import JobRecord, JobState
from pixelmend.jobs.store import JobStore
from pixelmend.tasks.options import ImageOptions, UpscaleOptions

ROW = (
    "INSERT INTO jobs (id, owner, content_key, state, is_async, created_s, ended_s, expires_s, result_bytes, "
    "record) VALUES (?, 'me', ?, ?, 1, ?, 1, 1, 5, CAST(? AS TEXT))"
)
BAD_RECORDS = [
    b'{"id": "bad", "state": "sleeping"}',
    b"{}",
    b"",
    b"null",
    b"[" * 5000,
    b'{"id": "\xff\xfe"}',
    b'{"id": 5, "task": "upscale"}',
]


def record(job_id: str, state: JobState = JobState.QUEUED) -> JobRecord:
    return JobRecord(
        job_id,
        "upscale",
        "me",
        job_id,
        "d",
        ImageOptions(UpscaleOptions("m")),
        1,
        time.time(),
        True,
        state=state,
    )


def with_journal(path: Path, body: Callable[[JobStore], Awaitable[None]]) -> None:
    async def run() -> None:
        store = JobStore(path, Logger())
        try:
            await body(store)
        finally:
            store.close()

    asyncio.run(run())


def add_bad_rows(path: Path, state: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        for number, text in enumerate(BAD_RECORDS):
            db.execute(ROW, (f"bad {number} {state}", f"bad {number}", state, number, text))


def test_rows_that_cannot_be_read_are_put_aside_singly(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"

    async def body(store: JobStore) -> None:
        await store.put(record("good"))
        for state in ("queued", "running", "done"):
            add_bad_rows(path, state)
        assert [found.id for found in await store.list_of("me", 100)] == ["good"]
        assert [found.id for found in await store.unfinished()] == ["good"]
        assert await store.results() == []
        assert await store.overdue() == []
        assert await store.find("bad 1 done") is None
        await store.start("good")
        await store.expire(["bad 2 done"])
        assert store.refusal() is None

    with_journal(path, body)
    with closing(sqlite3.connect(path)) as db:
        aside = db.execute("SELECT record, reason FROM unreadable ORDER BY id").fetchall()
        assert len(aside) == 3 * len(BAD_RECORDS)
        assert {text for text, _ in aside} == set(BAD_RECORDS)
        assert all(reason for _, reason in aside)


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_a_file_that_was_removed_or_replaced_is_noticed(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "jobs.db"

    async def body(store: JobStore) -> None:
        await store.put(record("good"))
        assert store.refusal() is None
        file = path.with_name(path.name + suffix)
        file.unlink()
        refusal = store.refusal()
        assert isinstance(refusal, StorageUnusable)
        assert f"{file.name} was removed" in refusal.message
        file.write_bytes(b"")
        refusal = store.refusal()
        assert refusal is not None
        assert "was replaced" in refusal.message

    with_journal(path, body)


def make(path: Path, jobs: int) -> None:
    async def body(store: JobStore) -> None:
        for number in range(jobs):
            await store.put(record(f"job {number}"))

    with_journal(path, body)


@pytest.mark.parametrize("where", [0, 20, 4096])
def test_a_damaged_file_is_put_aside_at_the_start(tmp_path: Path, where: int) -> None:
    path = tmp_path / "jobs.db"
    make(path, 50)
    damaged = bytearray(path.read_bytes())
    damaged[where : where + 1000] = b"\x55" * 1000
    path.write_bytes(damaged)

    async def body(store: JobStore) -> None:
        assert await store.unfinished() == []
        await store.put(record("new"))
        assert store.refusal() is None

    with_journal(path, body)
    (aside,) = tmp_path.glob("jobs.db.damaged-*")
    assert aside.read_bytes() == damaged


def test_damage_while_it_runs_is_told(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    make(path, 1)
    with closing(sqlite3.connect(path)) as db, db:  # more than SQLite keeps in memory
        for number in range(1000):
            db.execute(ROW, (f"large {number}", "", "queued", number, b" " * 10_000))

    async def body(store: JobStore) -> None:
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\x55" * (path.stat().st_size - 4096))
        with pytest.raises(StorageUnusable, match="damaged"):
            await store.unfinished()
        assert isinstance(store.refusal(), StorageUnusable)

    with_journal(path, body)


def test_what_a_later_version_wrote_is_refused_with_the_version(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    make(path, 1)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
        db.execute("UPDATE written_by SET version = '9.8.7'")
    with pytest.raises(DataDirectoryNewer, match=rf"Pixelmend 9\.8\.7 \(schema {SCHEMA_VERSION + 1}\)"):
        JobStore(path, Logger())
    assert list(tmp_path.glob("*damaged*")) == []


def test_what_an_earlier_version_wrote_is_read(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    make(path, 3)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA user_version = 0")
        db.execute("DROP TABLE written_by")
        db.execute("DROP TABLE unreadable")

    async def body(store: JobStore) -> None:
        assert len(await store.unfinished()) == 3

    with_journal(path, body)
