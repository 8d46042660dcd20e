"""Work that cannot be interrupted keeps its place in the worker until it is really gone."""

import json
import time
from pathlib import Path

import numpy as np
import pytest

from tests.pictures import encoded, photo
from tests.service import RunningService, running_service

pytestmark = pytest.mark.full

NOISE = np.random.default_rng(0).integers(0, 256, (400, 400, 3), dtype=np.uint8)


def until_it_is_encoded(service: RunningService, job: str) -> None:
    """All its tiles are computed; an AVIF of noise then takes its encoder for seconds."""
    deadline_s = time.monotonic() + 120
    while time.monotonic() < deadline_s:
        progress = service.job(job)["progress"]
        if progress["total_tiles"] and progress["done_tiles"] == progress["total_tiles"]:
            return
        time.sleep(0.02)
    raise AssertionError(service.log_excerpt)


def test_next_job_begins_once_the_cancelled_one_is_gone(tmp_path: Path) -> None:
    with running_service(tmp_path, worker_jobs=1) as service:
        slow = service.post_job(encoded(NOISE, "JPEG"), format="avif", quality=100).json()["id"]
        until_it_is_encoded(service, slow)
        assert service.client.delete(f"/api/jobs/{slow}").json()["state"] == "cancelled"
        # It has the same size class, so that there is one place for both.
        after = service.post_job(encoded(NOISE[:, :390], "JPEG")).json()["id"]
        assert service.job(after)["state"] == "queued"
        small = service.post_job(encoded(photo(side_px=40))).json()["id"]
        assert service.ended_job(small)["state"] == "done"  # other classes go on
        assert service.ended_job(after, timeout_s=120)["state"] == "done"
        ends = [line for line in map(json.loads, service.log.splitlines()) if "job" in line]
        ended = [(line["job"], line.get("code")) for line in ends if line["process"] == "worker"]
        assert (slow, "cancelled") in ended
        assert ended.index((slow, "cancelled")) < ended.index((after, None))
        service.wait_until_spool_is_empty()
