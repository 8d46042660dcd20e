"""A job database that version 0.1 wrote."""

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest

from pixelmend.core.errors import DataDirectoryNewer
from pixelmend.core.telemetry import Logger
from pixelmend.imaging.formats import WEBP
from pixelmend.imaging.mask_rules import MaskPolarity
from pixelmend.imaging.target import Target
from pixelmend.jobs import migration
from pixelmend.jobs.database import SCHEMA_VERSION
from pixelmend.jobs.delivery_rows import Delivery, DeliveryKind, DeliveryState
from pixelmend.jobs.model import JobState
from pixelmend.jobs.store import JobStore
from pixelmend.tasks.options import ImageOptions, InpaintOptions, UpscaleOptions

OLD_TABLE = """CREATE TABLE jobs (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, content_key TEXT NOT NULL, state TEXT NOT NULL,
    asked INTEGER NOT NULL, created_s REAL NOT NULL, ended_s REAL, expires_s REAL,
    result_bytes INTEGER NOT NULL, record TEXT NOT NULL) STRICT"""
NO_TARGET = {"scale": None, "width_px": None, "height_px": None}
ERASE = {"model": "pixelmend-fill", "grow_px": 5, "feather_px": 1, "mask_polarity": "white"}
REPORT = {
    "model": "pixelmend-fill", "model_sha256": "", "device_type": "cpu", "device_name": "CPU",
    "precision": "none", "width_px": 4, "height_px": 3, "tiles": 0, "tile_size": "", "decode_s": 0.1,
    "device_s": 0.0, "encode_s": 0.1, "total_s": 0.5, "not_kept": [], "notes": [],
    "erased_by": "pixelmend-fill", "erased_px": 7, "erase_s": 0.3,
}  # fmt: skip


def old_options(**changes: object) -> dict[str, object]:
    options: dict[str, object] = {
        "model": "pixelmend-x4", "target": NO_TARGET, "format": "png", "quality": None, "tile_px": None,
        "denoise": None, "first_frame": False, "erase": None, "enlarge": True,
    }  # fmt: skip
    return options | changes


def old_database(path: Path, *records: dict[str, object]) -> None:
    with sqlite3.connect(path) as db:
        db.execute(OLD_TABLE)
        db.execute("PRAGMA user_version = 1")
        for record in records:
            row = (record["id"], "me", "key", record["state"], record["asked"], 1.0, None, None, 0)
            db.execute("INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, json.dumps(record)))
    db.close()


def old_record(job_id: str, options: dict[str, object], **more: object) -> dict[str, object]:
    return {
        "id": job_id, "task": "upscale", "owner": "me", "content_key": "key", "digest": "d",
        "options": options, "pixels": 12, "created_s": 1.0, "asked": True, "file_name": "a.png",
        "request_id": None, "state": "queued", "starts": 0, "ended_s": None, "expires_s": None,
        "error_code": None, "error_message": None, "report": None, "result": None, "items": [],
    } | more  # fmt: skip


def test_its_jobs_are_taken_up_as_they_were(tmp_path: Path) -> None:
    upscale = old_options(
        target={**NO_TARGET, "scale": 2.0}, tile_px=96, denoise=0.5, format="webp", quality=7
    )
    both = old_options(erase=ERASE)
    erase = old_options(erase=ERASE, enlarge=False, model="pixelmend-fill")
    old_database(
        tmp_path / "jobs.db",
        old_record("a", upscale, state="running", starts=2),
        old_record("b", both, task="inpaint"),
        old_record("c", erase, task="inpaint", state="done", report=REPORT, ended_s=2.0),
    )

    async def body() -> None:
        store = JobStore(tmp_path / "jobs.db", Logger())
        try:
            a, b, c = [await store.find(job_id) for job_id in "abc"]
            assert a is not None
            assert b is not None
            assert c is not None
            assert (a.state, a.attempts, a.is_async) == (JobState.RUNNING, 2, True)
            assert a.options == ImageOptions(
                UpscaleOptions("pixelmend-x4", Target(2.0), 96, 0.5), format=WEBP.name, quality=7
            )
            inpaint = InpaintOptions("pixelmend-fill", 5, 1, MaskPolarity.WHITE)
            assert b.options == ImageOptions(UpscaleOptions("pixelmend-x4"), inpaint)
            assert c.options == ImageOptions(None, inpaint)
            assert c.report is not None
            assert (c.report.inpainted_by, c.report.inpainted_px, c.report.inpaint_s) == (
                "pixelmend-fill",
                7,
                0.3,
            )
            assert [record.id for record in await store.unfinished()] == ["b", "a"]
            assert [record.id for record in await store.list_of("me", 9)] != []
        finally:
            store.close()

    asyncio.run(body())
    with sqlite3.connect(tmp_path / "jobs.db") as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    db.close()


def test_a_row_that_is_not_readable_is_put_aside_and_the_others_are_kept(tmp_path: Path) -> None:
    old_database(tmp_path / "jobs.db", old_record("a", old_options()), old_record("b", old_options()))
    with sqlite3.connect(tmp_path / "jobs.db") as db:
        db.execute("UPDATE jobs SET record = 'not JSON' WHERE id = 'a'")
    db.close()

    async def body() -> None:
        store = JobStore(tmp_path / "jobs.db", Logger())
        try:
            assert await store.find("a") is None
            assert await store.find("b") is not None
        finally:
            store.close()

    asyncio.run(body())


def test_what_breaks_off_leaves_the_old_database_and_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_database(tmp_path / "jobs.db", old_record("a", old_options()), old_record("b", old_options()))
    renewed = migration._renew_record
    seen: list[str] = []

    def break_off(record: dict[str, object]) -> None:
        seen.append(str(record["id"]))
        if len(seen) == 2:
            raise KeyboardInterrupt
        renewed(record)

    monkeypatch.setattr(migration, "_renew_record", break_off)
    with sqlite3.connect(tmp_path / "jobs.db") as db, pytest.raises(KeyboardInterrupt):
        migration.migrate(db)
    columns = [row[1] for row in db.execute("PRAGMA table_info(jobs)")]
    assert ("asked" in columns, "is_async" in columns) == (True, False)
    assert db.execute("PRAGMA user_version").fetchone() == (1,)
    db.close()

    monkeypatch.setattr(migration, "_renew_record", renewed)
    store = JobStore(tmp_path / "jobs.db", Logger())
    try:
        assert {record.id for record in asyncio.run(store.unfinished())} == {"a", "b"}
    finally:
        store.close()


def test_what_a_later_version_wrote_is_refused(tmp_path: Path) -> None:
    old_database(tmp_path / "jobs.db")
    with sqlite3.connect(tmp_path / "jobs.db") as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    with pytest.raises(DataDirectoryNewer):
        JobStore(tmp_path / "jobs.db", Logger())


def test_webhooks_of_before_results_were_delivered_are_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    old_database(path, old_record("a", old_options()))
    columns = "job_id TEXT, url TEXT, state TEXT, attempts INTEGER, last_error TEXT"
    with sqlite3.connect(path) as db:
        db.execute(f"CREATE TABLE webhooks ({columns})")
        for job_id in ("a", "of no job"):
            row = (job_id, "http://x", "pending", 3, "the receiver answers 503")
            db.execute("INSERT INTO webhooks VALUES (?, ?, ?, ?, ?)", row)
    db.close()

    async def found() -> list[Delivery]:
        store = JobStore(path, Logger())
        try:
            return await store.deliveries_of("a")
        finally:
            store.close()

    expected = Delivery(
        "a", DeliveryKind.WEBHOOK, "http://x", DeliveryState.PENDING, 3, "the receiver answers 503"
    )
    for _ in ("taken over", "and only once"):
        assert asyncio.run(found()) == [expected]
