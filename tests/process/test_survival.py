"""Accepted jobs and what happens to the service: it is killed, overloaded, drained, left without room."""

import io
import json
import random
import resource
import signal
import sqlite3
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest

from tests.pictures import decoded, encoded, photo
from tests.service import RunningService, running_service

# A worker that a test has stopped has to stay.
STOPPED_S = 60.0
SLOW = encoded(photo(side_px=500, left=0, top=0), "JPEG", quality=95)


def picture(number: int, side_px: int = 40) -> bytes:
    return encoded(photo("coffee", side_px=side_px, left=number, top=30))


def result_of(service: RunningService, job: dict[str, Any]) -> bytes:
    response = service.client.get(f"/api/jobs/{job['id']}/result")
    assert response.status_code == 200, response.text
    return response.content


def most_attempts(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "data" / "jobs.db")) as db:
        return int(db.execute("SELECT max(record ->> '$.attempts') FROM jobs").fetchone()[0])


class Diary:
    """What clients were told; an end that was told once is never told otherwise."""

    def __init__(self) -> None:
        self.accepted: dict[str, bytes] = {}
        self.ends: dict[str, tuple[str, str]] = {}

    def submit(self, service: RunningService, data: bytes) -> str | None:
        """The job's id, if it was accepted."""
        response = service.post_job(data)
        if response.status_code != 202:
            return None
        job_id: str = response.json()["id"]
        self.accepted[job_id] = data
        return job_id

    def look(self, service: RunningService) -> None:
        for job_id in self.accepted:
            response = service.client.get(f"/api/jobs/{job_id}")
            assert response.status_code == 200, response.text
            job = response.json()
            if job["state"] not in ("queued", "running"):
                end = (job["state"], job["ended_at"])
                assert self.ends.setdefault(job_id, end) == end


@pytest.mark.drill("SIGKILL of the service, starting or at work", times="kills")
@pytest.mark.timeout(600)
def test_every_accepted_job_ends_once_and_right_however_often_the_service_is_killed(
    tmp_path: Path, kills: int
) -> None:
    chance = random.Random("kill -9")
    diary = Diary()
    for number in range(kills):
        with running_service(tmp_path, wait_for_port_only=True, worker_jobs=2) as service:
            try:
                # Every other time the kill comes while jobs run, otherwise while the service starts.
                if number % 2:
                    begun = diary.submit(service, picture(number, side_px=300))
                    # It may have ended before it is seen to run.
                    while begun and service.job(begun)["state"] == "queued":
                        time.sleep(0.01)
                    until_kill_s = chance.uniform(0, 0.4)
                else:
                    until_kill_s = chance.uniform(0, 1.0)
                killer = threading.Timer(until_kill_s, service.process.kill)
                killer.start()
                diary.submit(service, picture(number, side_px=chance.choice((40, 200))))
                diary.look(service)
            except httpx.TransportError:
                pass  # killed in the middle of a request
            service.process.wait(30)
            killer.cancel()
    assert most_attempts(tmp_path) > 1, "no running job was ever killed; this proves nothing"
    assert len(diary.accepted) > kills / 3, "hardly anything was accepted; this proves nothing"
    with running_service(tmp_path) as service:
        for job_id, data in diary.accepted.items():
            job = service.ended_job(job_id)
            assert job["state"] == "done", job
            fresh = service.client.post(
                "/api/upscale", files={"file": data}, headers={"Cache-Control": "no-cache"}
            )
            assert np.array_equal(decoded(result_of(service, job)), decoded(fresh.content))
        diary.look(service)
        assert service.client.get("/api/health").json()["queued"] == 0
        service.wait_until_spool_is_empty()
        names = {path.name for path in service.spool.iterdir()}
        listed = {job["id"] for job in service.client.get("/api/jobs").json()["jobs"]}
        assert set(diary.accepted) <= listed
        assert {name.split(".")[0] for name in names} >= set(diary.accepted)


@pytest.mark.full
def test_finished_results_are_served_after_a_kill_and_found_by_their_content(tmp_path: Path) -> None:
    with running_service(tmp_path) as service:
        first = service.post_job(picture(0), {"Idempotency-Key": "one"}).json()
        job = service.ended_job(first["id"])
        before = result_of(service, job)
        service.kill()
    with running_service(tmp_path, wait_for_port_only=True) as service:
        assert service.job(job["id"]) == job
        assert result_of(service, job) == before
        assert service.post_job(picture(0)).json()["id"] == job["id"]
        assert service.post_job(picture(0), {"Idempotency-Key": "one"}).json()["id"] == job["id"]
        assert service.post_job(picture(1), {"Idempotency-Key": "one"}).status_code == 422


@pytest.mark.full
def test_lost_worker_shows_in_nothing_but_time(tmp_path: Path) -> None:
    with running_service(tmp_path) as service:
        job = service.post_job(SLOW).json()
        service.wait_until("a running job", running=1)
        service.worker().send_signal(signal.SIGKILL)
        job = service.ended_job(job["id"])
        assert (job["state"], job["problem"]) == ("done", None)
        assert decoded(result_of(service, job)).shape == (2000, 2000, 3)


@pytest.mark.full
@pytest.mark.drill("ten times as many jobs as there is room for", times=1)
def test_ten_times_as_many_as_there_is_room_for(tmp_path: Path) -> None:
    with (
        running_service(tmp_path, max_queue_jobs=4, heartbeat_timeout_s=STOPPED_S) as service,
        ThreadPoolExecutor(20) as senders,
    ):
        worker = service.worker()
        worker.send_signal(signal.SIGSTOP)  # so that none ends while they are counted
        try:
            known = {"Idempotency-Key": "the first"}
            first = service.post_job(picture(0), known)
            others = list(senders.map(service.post_job, [picture(number) for number in range(1, 40)]))
            responses = [first, *others]
            # Asking again for what was accepted is no work, so it needs no room.
            assert service.post_job(picture(0), known).json()["id"] == first.json()["id"]
        finally:
            worker.send_signal(signal.SIGCONT)
        accepted = [r.json() for r in responses if r.status_code == 202]
        refused = [r for r in responses if r.status_code == 503]
        assert (len(accepted), len(refused)) == (4, 36)
        assert all(int(r.headers["retry-after"]) >= 1 for r in refused)
        assert all(service.ended_job(job["id"])["state"] == "done" for job in accepted)
        assert len(service.client.get("/api/jobs").json()["jobs"]) == 4
        service.wait_until_spool_is_empty()


@pytest.mark.full
def test_identical_requests_in_flight_are_run_once(tmp_path: Path) -> None:
    with (
        running_service(tmp_path, heartbeat_timeout_s=STOPPED_S) as service,
        ThreadPoolExecutor(8) as senders,
    ):
        service.worker().send_signal(signal.SIGSTOP)
        waiting = [
            senders.submit(service.client.post, "/api/upscale", files={"file": picture(0)}) for _ in range(5)
        ]
        service.wait_until("the first", running=1)
        asked = [service.post_job(picture(0)).json()["id"] for _ in range(2)]
        service.worker().send_signal(signal.SIGCONT)
        ids = {future.result().headers["x-pixelmend-job"] for future in waiting}
        assert ids == set(asked)
        assert len(ids) == 1
        assert service.ended_job(asked[0])["state"] == "done"
        assert service.log.count('"event": "job done"') == 1


@pytest.mark.full
def test_client_that_goes_away_ends_only_what_nobody_else_wants(tmp_path: Path) -> None:
    with running_service(tmp_path) as service:
        service.worker().send_signal(signal.SIGSTOP)
        job = service.post_job(SLOW).json()
        with pytest.raises(httpx.ReadTimeout):
            service.client.post("/api/upscale", files={"file": SLOW}, timeout=0.3)
        with pytest.raises(httpx.ReadTimeout):
            service.client.post("/api/upscale", files={"file": picture(0)}, timeout=0.3)
        service.wait_until("the end of the other", running=1, queued=0)
        service.worker().send_signal(signal.SIGCONT)
        assert service.ended_job(job["id"])["state"] == "done"
        service.wait_until_spool_is_empty()


@pytest.mark.full
@pytest.mark.drill("clients that go away in every phase", times=100)
def test_hundred_disconnects_leave_nothing_behind(tmp_path: Path) -> None:
    with running_service(tmp_path, max_queue_jobs=8) as service:
        kept = service.ended_job(service.post_job(SLOW).json()["id"])
        process = psutil.Process(service.process.pid)

        def disconnect(number: int) -> None:
            with httpx.Client(base_url=service.base_url, timeout=0.2) as client:
                try:
                    match number % 4:
                        case 0:  # while it waits
                            client.post("/api/upscale", files={"file": picture(number, side_px=200)})
                        case 1:  # while it is told
                            job_id = client.post(
                                "/api/jobs",
                                files={"file": picture(number, side_px=200)},
                                data={"task": "upscale"},
                                timeout=10,
                            ).json()["id"]
                            try:
                                with client.stream("GET", f"/api/jobs/{job_id}/events") as stream:
                                    next(stream.iter_lines())
                            finally:
                                client.delete(f"/api/jobs/{job_id}", timeout=10)
                        case 2:  # while it downloads
                            with client.stream("GET", f"/api/jobs/{kept['id']}/result") as stream:
                                next(stream.iter_raw())
                        case _:  # while it uploads
                            body = iter([b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n', b""])
                            headers = {"Content-Type": "multipart/form-data; boundary=b"}
                            client.post("/api/jobs", content=body, headers=headers)
                except httpx.TimeoutException:
                    pass

        def settle() -> None:
            service.wait_until("the end", running=0, queued=0, timeout_s=60)
            service.wait_until_spool_is_empty()

        for number in range(20):  # until caches and pools have grown to their size
            disconnect(number)
        settle()
        descriptors, memory_bytes = process.num_fds(), process.memory_info().rss
        for number in range(100):
            disconnect(20 + number)
        settle()
        assert process.num_fds() <= descriptors + 2
        assert process.memory_info().rss <= memory_bytes + 20_000_000
        assert result_of(service, kept)


def events_of(service: RunningService, job_id: str, seen: list[str]) -> None:
    with service.client.stream("GET", f"/api/jobs/{job_id}/events") as stream:
        seen.extend(
            line.removeprefix("event: ") for line in stream.iter_lines() if line.startswith("event: ")
        )


@pytest.mark.full
@pytest.mark.drill("SIGTERM with jobs queued and streams open", times=1)
def test_sigterm_answers_everybody_and_leaves_the_queue_to_the_next_start(tmp_path: Path) -> None:
    with (
        running_service(tmp_path, worker_jobs=1, heartbeat_timeout_s=STOPPED_S) as service,
        ThreadPoolExecutor(8) as clients,
    ):
        worker = service.worker()
        worker.send_signal(signal.SIGSTOP)
        jobs = [service.post_job(data).json() for data in map(picture, range(4))]
        waiting = [
            clients.submit(service.client.post, "/api/upscale", files={"file": picture(4 + n)})
            for n in range(2)
        ]
        service.wait_until("a queue", running=1, queued=5)
        assert [service.job(job["id"])["place"] for job in jobs] == [None, 1, 2, 3]
        heard: list[list[str]] = [[], [], []]
        streams = [clients.submit(events_of, service, jobs[n]["id"], heard[n]) for n in range(3)]
        deadline_s = time.monotonic() + 10
        while not all(heard) and time.monotonic() < deadline_s:
            time.sleep(0.02)
        service.process.send_signal(signal.SIGTERM)
        worker.send_signal(signal.SIGCONT)
        assert service.process.wait(30) == 0
        assert [future.result().status_code for future in waiting] == [200, 200]
        for stream in streams:
            stream.result()
        # The first was running, so it may have ended before it was told.
        assert [events[-1] for events in heard[1:]] == ["drain"] * 2
        assert heard[0][-1] in ("drain", "state")
    with running_service(tmp_path) as service:
        assert all(service.ended_job(job["id"])["state"] == "done" for job in jobs)
        service.wait_until_spool_is_empty()


@pytest.mark.full
@pytest.mark.drill("a full disk at upload and result", times=1)
def test_full_disk_is_said_and_gone_when_there_is_room(tmp_path: Path) -> None:
    with running_service(tmp_path) as service:
        process = psutil.Process(service.process.pid)
        before = process.rlimit(psutil.RLIMIT_FSIZE)
        # To the process the disk is full: no file may grow.
        process.rlimit(psutil.RLIMIT_FSIZE, (0, before[1]))
        for _ in range(3):
            refused = service.post_job(picture(0))
            assert refused.status_code == 503, refused.text
            assert refused.json()["type"] == "urn:pixelmend:problem:storage-full"
        process.rlimit(psutil.RLIMIT_FSIZE, before)
        service.wait_until_spool_is_empty()
        job = service.post_job(picture(0)).json()
        assert service.ended_job(job["id"])["state"] == "done"
        assert before[0] == resource.RLIM_INFINITY


@pytest.mark.full
def test_end_that_cannot_be_written_down_is_told_when_it_can(tmp_path: Path) -> None:
    with running_service(tmp_path) as service:
        process = psutil.Process(service.process.pid)
        service.worker().send_signal(signal.SIGSTOP)
        job = service.post_job(picture(0)).json()
        before = process.rlimit(psutil.RLIMIT_FSIZE)
        process.rlimit(psutil.RLIMIT_FSIZE, (0, before[1]))
        service.worker().send_signal(signal.SIGCONT)
        service.wait_until("the end", running=0)
        assert service.job(job["id"])["state"] == "running"
        process.rlimit(psutil.RLIMIT_FSIZE, before)
        assert service.ended_job(job["id"])["state"] == "done"


@pytest.mark.full
def test_results_go_after_their_time(tmp_path: Path) -> None:
    with running_service(tmp_path, result_ttl_s=1.5) as service:
        job = service.ended_job(service.post_job(picture(0)).json()["id"])
        deadline_s = time.monotonic() + 20
        while list(service.spool.iterdir()) and time.monotonic() < deadline_s:
            time.sleep(0.05)
        assert list(service.spool.iterdir()) == []
        assert service.job(job["id"])["state"] == "expired"
        result = service.client.get(f"/api/jobs/{job['id']}/result")
        assert (result.status_code, result.json()["type"]) == (410, "urn:pixelmend:problem:result-expired")


@pytest.mark.full
def test_second_service_on_the_same_data_directory_is_refused(tmp_path: Path) -> None:
    with running_service(tmp_path, wait_for_port_only=True):
        other = tmp_path / "other"
        other.mkdir()
        with (
            pytest.raises(AssertionError, match="another service has"),
            running_service(other, data_dir=tmp_path / "data"),
        ):
            pass


def batch(service: RunningService, pictures: list[bytes], headers: dict[str, str] | None = None) -> Any:
    files = [("files", (f"{n}.png", data)) for n, data in enumerate(pictures)]
    response = service.client.post(
        "/api/jobs", files=files, data={"task": "upscale-batch"}, headers=headers or {}
    )
    assert response.status_code == 202, response.text
    return response.json()


@pytest.mark.full
@pytest.mark.drill("SIGKILL of the service within a batch", times=1)
def test_batch_goes_on_after_a_kill_with_what_it_had(tmp_path: Path) -> None:
    pictures = [picture(n, side_px=300) for n in range(5)] + [b"no image"]
    with running_service(tmp_path, worker_jobs=1) as service:
        job = batch(service, pictures)
        deadline_s = time.monotonic() + 60
        while service.job(job["id"])["progress"]["done_items"] < 2 and time.monotonic() < deadline_s:
            time.sleep(0.01)
        service.kill()
    with running_service(tmp_path, worker_jobs=1) as service:
        ended = service.ended_job(job["id"])
        assert (ended["state"], ended["progress"]["done_items"]) == ("done", 5)
        assert ended["items"][5]["problem"]["type"] == "urn:pixelmend:problem:unsupported-format"
        with zipfile.ZipFile(io.BytesIO(result_of(service, ended))) as archive:
            for n, data in enumerate(pictures[:5]):
                alone = service.client.post("/api/upscale", files={"file": data})
                assert archive.read(f"{n}.png") == alone.content
        seconds = [line for line in service.log.splitlines() if '"job done"' in line]
        assert len(seconds) < 5, "images that were finished before the kill were computed again"
        service.wait_until_spool_is_empty()


@pytest.mark.full
def test_sigterm_closes_the_archive_that_somebody_waits_for_and_puts_the_others_aside(tmp_path: Path) -> None:
    with (
        running_service(tmp_path, worker_jobs=1, drain_timeout_s=3) as service,
        ThreadPoolExecutor(1) as one,
    ):
        waited = one.submit(
            service.client.post,
            "/api/upscale-batch",
            files=[("files", (f"{n}.jpg", SLOW + bytes(n))) for n in range(40)],
        )
        service.wait_until("a running image", running=1)
        aside = batch(service, [picture(1), picture(2)])
        service.process.send_signal(signal.SIGTERM)
        response = waited.result()
        service.process.wait(30)
        with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
            assert archive.testzip() is None
            items = json.loads(archive.read("manifest.json"))["items"]
        states = [item["state"] for item in items]
        assert states.count("done") < 40
        problems = {item["problem"]["type"] for item in items if item["problem"]}
        assert problems == {"urn:pixelmend:problem:draining"}
    with running_service(tmp_path) as service:
        assert service.ended_job(aside["id"])["progress"]["done_items"] == 2
        service.wait_until_spool_is_empty()
