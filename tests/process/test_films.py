"""Films, and processes that are killed in the middle of them."""

import io
import signal
import time
from pathlib import Path
from typing import Any

import av
import pytest

from tests.pictures import encoded, photo
from tests.service import RunningService, running_service
from tests.video.clips import Clip, make

FRAMES = 24


def film(folder: Path, frames: int = FRAMES) -> bytes:
    """Segments of four frames, each of which takes a worker some tenths of a second."""
    clip = Clip([number * 1500 for number in range(frames)], options={"g": "4", "bf": "0"})
    return make(folder / "film.mp4", clip).read_bytes()


def submit(service: RunningService, data: bytes) -> str:
    fields = {"task": "upscale-video", "model": "pixelmend-x4"}
    response = service.client.post("/api/jobs", data=fields, files={"file": ("film.mp4", data)})
    assert response.status_code == 202, response.text
    job_id: str = response.json()["id"]
    return job_id


def wait_for_frames(service: RunningService, job_id: str, least: int) -> dict[str, Any]:
    deadline_s = time.monotonic() + 120
    while time.monotonic() < deadline_s:
        job: dict[str, Any] = service.client.get(f"/api/jobs/{job_id}").json()
        if job["state"] != "queued" and (job["progress"]["done_tiles"] >= least or job["state"] != "running"):
            return job
        time.sleep(0.02)
    raise AssertionError(f"{least} frames were not reached: {job}")


def frames_of(service: RunningService, job_id: str) -> list[float]:
    job = service.ended_job(job_id)
    assert job["state"] == "done", job
    data = service.client.get(job["result"]["url"]).content
    with av.open(io.BytesIO(data)) as container:
        return [frame.time or 0.0 for frame in container.decode(video=0)]  # type: ignore[union-attr]


def finished_segments(service: RunningService, job_id: str) -> set[str]:
    return {path.name for path in (service.spool / f"{job_id}.parts").glob("*.json")} - {"about.json"}


@pytest.mark.full
def test_a_killed_worker_and_a_killed_service_cost_the_segment_that_was_being_made(tmp_path: Path) -> None:
    data = film(tmp_path)
    expected = [number * 1.5 for number in range(FRAMES)]
    with running_service(tmp_path) as service:
        job_id = submit(service, data)
        wait_for_frames(service, job_id, 6)
        service.worker().send_signal(signal.SIGKILL)
        kept = finished_segments(service, job_id)
        assert kept >= {"00000.json"}
        wait_for_frames(service, job_id, 14)
        service.kill()
    parts = tmp_path / "data" / "spool" / f"{job_id}.parts"
    times = {path.name: path.stat().st_mtime_ns for path in parts.glob("0*.mp4")}
    assert len(times) >= 2
    with running_service(tmp_path) as service:
        job = wait_for_frames(service, job_id, 1)
        if job["state"] == "running":
            assert job["progress"]["done_tiles"] >= 8
            for name, time_ns in times.items():
                path = parts / name
                assert not path.exists() or path.stat().st_mtime_ns == time_ns
        assert frames_of(service, job_id) == pytest.approx(expected, abs=1e-6)
        assert not parts.exists()


@pytest.mark.full
def test_an_image_does_not_wait_for_a_film_and_a_cancelled_one_leaves_nothing(tmp_path: Path) -> None:
    with running_service(tmp_path) as service:
        job_id = submit(service, film(tmp_path, 800))
        wait_for_frames(service, job_id, 1)
        image = encoded(photo(side_px=40))
        response = service.client.post("/api/upscale", files={"file": image})
        assert response.status_code == 200
        assert service.client.get(f"/api/jobs/{job_id}").json()["state"] == "running"
        assert service.client.delete(f"/api/jobs/{job_id}").json()["state"] == "cancelled"
        deadline_s = time.monotonic() + 30
        while left := list(service.spool.glob(f"{job_id}*")):
            assert time.monotonic() < deadline_s, left
            time.sleep(0.05)
        # The worker is free, and its thread has let go of the folder.
        assert service.client.post("/api/upscale", files={"file": image}).status_code == 200
        time.sleep(0.5)
        assert not list(service.spool.glob(f"{job_id}*"))
