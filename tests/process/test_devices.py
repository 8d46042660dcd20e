"""A service with two devices; here both are the CPU, each with a worker of its own."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import safetensors.torch

from tests.engine.networks import compact_state
from tests.pictures import encoded, photo
from tests.service import RunningService, running_service

pytestmark = pytest.mark.full

SLOW = encoded(photo(side_px=500, left=0, top=0), "JPEG", quality=95)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[RunningService]:
    (tmp_path / "models").mkdir()
    safetensors.torch.save_file(compact_state(), tmp_path / "models" / "small.safetensors")
    with running_service(tmp_path, device="cpu,cpu", memory_monitoring_interval=0.2) as running:
        deadline_s = time.monotonic() + 60
        while not all(device["now"] for device in running.client.get("/api/memory").json()["devices"]):
            assert time.monotonic() < deadline_s, running.log_excerpt
            time.sleep(0.05)
        yield running


def workers(service: RunningService) -> list[psutil.Process]:
    found = []
    for child in psutil.Process(service.process.pid).children():
        with suppress(psutil.NoSuchProcess):  # one that was killed an instant ago
            if "pixelmend.worker.process" in child.cmdline():
                found.append(child)
    return found


def pids_of_done_jobs(service: RunningService) -> dict[str, int]:
    lines = [json.loads(line) for line in service.log.splitlines() if '"job done"' in line]
    return {line["job"]: line["pid"] for line in lines}


def test_each_device_has_a_worker_and_jobs_run_on_both(two: RunningService) -> None:
    assert len(workers(two)) == 2
    jobs = [two.post_job(SLOW + bytes(n)).json()["id"] for n in range(4)]
    for job in jobs:
        assert two.ended_job(job)["state"] == "done"
    ran_at = pids_of_done_jobs(two)
    assert {ran_at[job] for job in jobs} == {worker.pid for worker in workers(two)}


def test_loss_of_one_device_is_no_loss_of_a_job(two: RunningService) -> None:
    before = {worker.pid for worker in workers(two)}
    jobs = [two.post_job(SLOW + bytes(10 + n)).json()["id"] for n in range(4)]
    two.wait_until("running jobs", running=4, queued=0)
    workers(two)[0].kill()
    for job in jobs:
        assert two.ended_job(job)["state"] == "done"
    two.wait_until("one new worker", worker_restarts=1)
    deadline_s = time.monotonic() + 60
    while len(now := {worker.pid for worker in workers(two)}) < 2:
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    assert len(now & before) == 1


def test_model_is_pinned_on_one_device_and_let_go_on_all(two: RunningService) -> None:
    assert two.client.post("/api/models/small/pin").json()["pinned"] is True
    deadline_s = time.monotonic() + 30
    while True:
        devices = two.client.get("/api/memory").json()["devices"]
        found = [[model["model"] for model in device["now"]["models"]] for device in devices]
        if sum("small" in models for models in found) == 1:
            break
        assert time.monotonic() < deadline_s, found
        time.sleep(0.05)
    assert two.client.post("/api/models/small/unpin").json()["pinned"] is False
    assert two.client.post("/api/models/small/unload").json()["loaded"] is False
    assert two.client.post("/api/models/pixelmend-x4/unload").json()["loaded"] is False
    answer = two.client.post("/api/upscale", files={"file": encoded(photo(side_px=30))})
    assert answer.status_code == 200
    assert two.client.get("/metrics").text.count("pixelmend_device_memory_bytes{device=") == 2


def test_new_workers_keep_the_settings_and_each_device_says_what_it_freed(two: RunningService) -> None:
    assert two.client.post("/api/models/small/load?device=1").status_code == 200
    freed = two.client.post("/api/memory/free").json()
    assert [device["index"] for device in freed["devices"]] == [0, 1]
    assert [model["model"] for model in freed["devices"][1]["models"]].count("small") == 1
    assert "small" not in [model["model"] for model in freed["devices"][0]["models"]]
    changed = two.client.patch("/api/management", json={"max_memory_usage_percent": 1e-6})
    assert changed.status_code == 200
    for worker in workers(two):
        worker.kill()
    two.wait_until("new workers", worker_restarts=2)
    deadline_s = time.monotonic() + 60
    while not all(device["now"] for device in two.client.get("/api/memory").json()["devices"]):
        assert time.monotonic() < deadline_s, two.log_excerpt
        time.sleep(0.05)
    devices = two.client.get("/api/memory").json()["devices"]
    assert all(device["now"]["ceiling_bytes"] < 10_000 for device in devices)
    assert all(not device["now"]["models"] for device in devices)
