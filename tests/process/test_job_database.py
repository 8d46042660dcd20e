"""The running service with a database that another program has changed."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.jobs.test_store import add_bad_rows
from tests.pictures import encoded, photo
from tests.service import RunningService, running_service

pytestmark = pytest.mark.full

QUICK = encoded(photo(side_px=40))


def work(service: RunningService) -> None:
    job = service.post_job(QUICK).json()
    assert service.ended_job(job["id"])["state"] == "done"
    assert job["id"] in [listed["id"] for listed in service.client.get("/api/jobs").json()["jobs"]]


@pytest.mark.drill("unreadable rows, and a database that is removed", times=1)
def test_bad_rows_stop_nothing_and_a_removed_database_is_not_ready(tmp_path: Path) -> None:
    database = tmp_path / "data" / "jobs.db"
    with running_service(tmp_path, result_ttl_s=1.5) as service:
        for state in ("queued", "running", "done"):
            add_bad_rows(database, state)
        work(service)
        # The sweeper has gone over them and still removes results in their time.
        deadline_s = time.monotonic() + 30
        while list(service.spool.iterdir()) and time.monotonic() < deadline_s:
            time.sleep(0.05)
        assert list(service.spool.iterdir()) == []
        assert service.client.get("/readyz").status_code == 200
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("UPDATE jobs SET record = '{}'")
    with running_service(tmp_path) as service:
        work(service)
        database.unlink()
        ready = service.client.get("/readyz")
        assert ready.status_code == 503
        assert "jobs.db was removed" in ready.json()["reasons"][0]
        waited = service.client.post("/api/upscale", files={"file": QUICK})
        for refused in (service.post_job(QUICK), waited):
            assert refused.status_code == 503
            assert refused.json()["type"] == "urn:pixelmend:problem:storage-unusable"
        assert "pixelmend_ready 0.0" in service.client.get("/metrics").text
    with running_service(tmp_path) as service:
        work(service)
