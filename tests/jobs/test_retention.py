"""Which results are kept, with a real store and spool."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pixelmend.core.errors import StorageFull
from pixelmend.core.telemetry import Logger
from pixelmend.imaging.formats import JPEG, PNG
from pixelmend.jobs.model import JobRecord, JobState, StoredResult
from pixelmend.jobs.retention import Retention
from pixelmend.jobs.spool import Spool
from pixelmend.jobs.store import JobStore
from pixelmend.tasks.options import ImageOptions, UpscaleOptions


class Bench:
    def __init__(self, folder: Path, max_bytes: int = 1000) -> None:
        self.spool = Spool(folder / "spool", 0, [PNG.suffix, JPEG.suffix])
        self.store = JobStore(folder / "jobs.db", Logger())
        self.retention = Retention(self.store, self.spool, max_bytes, Logger())

    async def finished(
        self, name: str, size_bytes: int, *, age_s: float = 0, asked: bool = True, owner: str = "me"
    ) -> JobRecord:
        """A job that ended `age_s` ago, with a result that is kept for an hour."""
        file = f"{name}.run.out.png"
        (self.spool.directory / file).write_bytes(b"x" * size_bytes)
        ended_s = time.time() - age_s
        record = JobRecord(
            name, "upscale", owner, f"content of {name}", "d", ImageOptions(UpscaleOptions("m")), 1, ended_s,
            asked,
            state=JobState.DONE, ended_s=ended_s, expires_s=ended_s + 3600,
            result=StoredResult(file, size_bytes, "0" * 64),
        )  # fmt: skip
        await self.store.put(record)
        return record

    def files(self) -> list[str]:
        return sorted(path.name.split(".")[0] for path in self.spool.directory.iterdir())

    async def state(self, name: str) -> JobState | None:
        record = await self.store.find(name)
        return None if record is None else record.state


def with_bench(folder: Path, body: Callable[[Bench], Awaitable[None]], max_bytes: int = 1000) -> None:
    async def run() -> None:
        bench = Bench(folder, max_bytes)
        try:
            await asyncio.wait_for(_awaited(body(bench)), 30)
        finally:
            bench.store.close()
            bench.spool.close()

    asyncio.run(run())


async def _awaited(work: Awaitable[None]) -> None:
    await work


def test_overdue_results_go_first_then_the_oldest_beyond_the_bound(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        await bench.finished("overdue", 900, age_s=3601)
        await bench.finished("old", 400, age_s=30)
        await bench.finished("middle", 400, age_s=20)
        await bench.finished("new", 400)
        await bench.retention.sweep()
        assert bench.files() == ["middle", "new"]
        assert [await bench.state(n) for n in ("overdue", "old")] == [JobState.EXPIRED] * 2

    with_bench(tmp_path, body)


def test_newest_result_stays_however_large(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        await bench.finished("small", 10, age_s=10)
        await bench.finished("huge", 5000)
        await bench.retention.sweep()
        assert bench.files() == ["huge"]

    with_bench(tmp_path, body)


def test_result_that_is_being_read_goes_when_it_was_read(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        read = await bench.finished("read", 10)
        bench.retention.hold("read")
        bench.retention.hold("read")
        await bench.retention.expire(read)
        bench.retention.release("read")
        assert bench.files() == ["read"]
        bench.retention.release("read")
        assert bench.files() == []

    with_bench(tmp_path, body)


def test_what_nobody_was_promised_makes_room_and_is_forgotten(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        await bench.finished("promised", 10)
        await bench.finished("unpromised", 10, asked=False)
        with pytest.raises(StorageFull):
            await bench.retention.require_room(10**18)
        assert bench.files() == ["promised"]
        assert await bench.state("unpromised") is None

    with_bench(tmp_path, body)


def test_ended_jobs_are_forgotten_after_a_day(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        old = await bench.finished("old", 10, age_s=24 * 3600 + 1)
        await bench.store.put(
            replace(old, id="failed long ago", state=JobState.FAILED, result=None), idempotency_key="k"
        )
        await bench.retention.sweep()
        assert await bench.state("failed long ago") is None
        assert await bench.store.find_by_idempotency_key("me", "k") is None
        # Unfinished ones never are, however long the service was down.
        await bench.store.put(replace(old, id="waiting", state=JobState.QUEUED, ended_s=None, result=None))
        await bench.retention.sweep()
        assert await bench.state("waiting") is JobState.QUEUED

    with_bench(tmp_path, body)


def test_jobs_that_no_service_died_with_are_taken_up_first(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        finished = await bench.finished("template", 1)
        for name in ("suspect", "innocent"):
            await bench.store.put(
                replace(finished, id=name, state=JobState.QUEUED, result=None, created_s=time.time())
            )
        await bench.store.start("suspect")
        await bench.store.start("template")  # has ended, and stays so
        records = await bench.store.unfinished()
        assert [(r.id, r.attempts) for r in records] == [("innocent", 0), ("suspect", 1)]

    with_bench(tmp_path, body)


def test_damaged_database_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / "jobs.db").write_bytes(b"this is no database" * 1000)
    with_bench(tmp_path, lambda bench: bench.retention.sweep())
    assert [p.read_bytes()[:4] for p in tmp_path.glob("jobs.db.damaged-*")] == [b"this"]
    with sqlite3.connect(tmp_path / "jobs.db") as db:
        assert db.execute("SELECT count(*) FROM jobs").fetchone() == (0,)
    db.close()


def test_nobody_fills_the_room_of_the_others(tmp_path: Path) -> None:
    async def body(bench: Bench) -> None:
        await bench.finished("old", 300, age_s=500, owner="modest")
        for number in range(5):
            await bench.finished(f"greedy-{number}", 200, age_s=100 - number, owner="greedy")
        await bench.finished("newest", 300, owner="other")
        await bench.retention.sweep()
        assert bench.files() == ["greedy-3", "greedy-4", "newest", "old"]

    with_bench(tmp_path, body)
