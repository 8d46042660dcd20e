"""Processes are really killed, stopped and starved here; what was accepted must still end well."""

import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest

from tests.pictures import decoded, encoded, photo
from tests.service import RunningService, running_service

# Large enough that a worker is surely still at it when a test acts.
SLOW = encoded(photo(side_px=500, left=0, top=0), "JPEG", quality=95)
QUICK = encoded(photo(side_px=40))


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("faults"), worker_jobs=2, max_queue_jobs=6) as running:
        yield running


@pytest.fixture
def senders() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool


def send(service: RunningService, data: bytes) -> httpx.Response:
    # Work is wanted here, not what was made of the same picture before.
    headers = {"Cache-Control": "no-cache"}
    return service.client.post("/api/upscale", files={"file": data}, headers=headers)


def send_and_wait_until_running(
    service: RunningService, senders: ThreadPoolExecutor, data: bytes
) -> "Future[httpx.Response]":
    pending = senders.submit(send, service, data)
    service.wait_until("a running job", running=1)
    time.sleep(0.1)  # into its tiles
    return pending


@pytest.mark.drill("SIGKILL of a worker with a job", times=1)
def test_killed_worker_loses_no_job(own: RunningService, senders: ThreadPoolExecutor, kills: int) -> None:
    expected = decoded(send(own, SLOW).content)
    for _ in range(kills // 6):
        worker = own.worker()
        pending = send_and_wait_until_running(own, senders, SLOW)
        worker.send_signal(signal.SIGKILL)
        response = pending.result()
        assert response.status_code == 200, response.text
        assert np.array_equal(decoded(response.content), expected)
        own.wait_until_ready()
    own.wait_until_spool_is_empty()


@pytest.mark.full
@pytest.mark.drill("SIGSTOP of a worker", times=1)
def test_stopped_worker_is_noticed_and_replaced(own: RunningService, senders: ThreadPoolExecutor) -> None:
    worker = own.worker()
    pending = send_and_wait_until_running(own, senders, SLOW)
    worker.send_signal(signal.SIGSTOP)
    assert pending.result().status_code == 200
    assert not worker.is_running()
    assert "silent for more than heartbeat_timeout_s" in own.log
    own.wait_until_ready()


@pytest.mark.full
@pytest.mark.drill("an input in which workers die", times=2)
def test_input_that_ends_two_workers_is_quarantined(own: RunningService, senders: ThreadPoolExecutor) -> None:
    # So large that no worker ends it before it is killed.
    deadly = encoded(np.tile(photo("coffee", side_px=399, left=0, top=0), (3, 3, 1)), "JPEG", quality=90)
    pending = senders.submit(send, own, deadly)
    for _ in range(2):
        own.wait_until("the job to run", running=1)
        own.worker().send_signal(signal.SIGKILL)
        own.wait_until("its loss", running=0)
    response = pending.result()
    assert response.status_code == 422, response.text
    assert response.json()["type"] == "urn:pixelmend:problem:input-quarantined"
    again = send(own, deadly)
    assert again.json()["type"] == "urn:pixelmend:problem:input-quarantined"
    own.wait_until_ready()
    assert send(own, QUICK).status_code == 200
    own.wait_until_spool_is_empty()


@pytest.mark.full
def test_queue_takes_exactly_what_it_has_room_for(own: RunningService, senders: ThreadPoolExecutor) -> None:
    # A stopped worker ends nothing, so what is accepted is counted exactly.
    worker = own.worker()
    worker.send_signal(signal.SIGSTOP)
    try:
        pending = [senders.submit(send, own, encoded(photo(side_px=40, left=left))) for left in range(12)]
        deadline_s = time.monotonic() + 5
        while sum(p.done() for p in pending) < 6 and time.monotonic() < deadline_s:
            time.sleep(0.02)
    finally:
        worker.send_signal(signal.SIGCONT)
    responses = [p.result() for p in pending]
    refused = [r for r in responses if r.status_code == 503]
    accepted = [r for r in responses if r.status_code == 200]
    assert (len(accepted), len(refused)) == (6, 6)
    for response in refused:
        assert response.json()["type"] == "urn:pixelmend:problem:queue-full"
        assert response.json()["retryable"] is True
        assert 1 <= int(response.headers["retry-after"]) <= 900
    own.wait_until_ready()


@pytest.mark.full
@pytest.mark.drill("a client that goes away", times=1)
def test_client_that_goes_away_costs_nothing_more(own: RunningService) -> None:
    descriptors = psutil.Process(own.process.pid).num_fds()
    boundary = "xyz"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'.encode()
        + SLOW
        + f"\r\n--{boundary}--\r\n".encode()
    )
    host, port = own.base_url.removeprefix("http://").split(":")
    head = (
        f"POST /api/upscale HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-cache\r\n"
        f"Content-Type: multipart/form-data; boundary={boundary}\r\n\r\n"
    ).encode()
    for sent in (len(body) // 2, len(body), len(body), len(body)):
        with socket.create_connection((host, int(port))) as client:
            client.sendall(head + body[:sent])
            if sent == len(body):
                own.wait_until("a running job", running=1)
        own.wait_until("its end", running=0, queued=0, timeout_s=20)
    own.wait_until_spool_is_empty()
    assert psutil.Process(own.process.pid).num_fds() <= descriptors + 2
    assert send(own, QUICK).status_code == 200


@pytest.mark.full
def test_deadline_ends_a_job_with_504(tmp_path: Path) -> None:
    with running_service(tmp_path, request_timeout_s=0.2) as service:
        response = send(service, SLOW)
        assert response.status_code == 504
        assert response.json()["type"] == "urn:pixelmend:problem:deadline-exceeded"
        assert "request_timeout_s=0.2" in response.json()["detail"]
        service.wait_until("the end", running=0)
        service.wait_until_spool_is_empty()


@pytest.mark.full
@pytest.mark.drill("SIGKILL of the API process", times=1)
def test_worker_ends_soon_after_the_service_is_killed(tmp_path: Path) -> None:
    with running_service(tmp_path) as service:
        worker = service.worker()
        service.process.kill()
        service.process.wait()
        assert psutil.wait_procs([worker], timeout=5)[1] == []
    # What the killed process left in its spool goes when the next one starts.
    (service.spool / "abandoned.in").write_bytes(b"x")
    with running_service(tmp_path) as service:
        assert service.spooled_files() == []


@pytest.mark.full
@pytest.mark.drill("SIGTERM with work accepted", times=1)
def test_sigterm_finishes_what_was_accepted(tmp_path: Path, senders: ThreadPoolExecutor) -> None:
    with running_service(tmp_path, worker_jobs=1) as service:
        service.worker().send_signal(signal.SIGSTOP)
        pictures = [encoded(photo(side_px=400, left=left, top=0)) for left in range(4)]
        pending = [senders.submit(send, service, picture) for picture in pictures]
        service.wait_until("a queue", running=1, queued=3)
        service.process.send_signal(signal.SIGTERM)
        service.worker().send_signal(signal.SIGCONT)
        responses = [p.result() for p in pending]
        assert [r.status_code for r in responses] == [200] * 4
        assert service.process.wait(45) == 0
        assert service.spooled_files() == []


@pytest.mark.full
def test_sigterm_tells_whom_it_cannot_serve_in_time(tmp_path: Path, senders: ThreadPoolExecutor) -> None:
    with running_service(tmp_path, worker_jobs=1, drain_timeout_s=0.5) as service:
        service.worker().send_signal(signal.SIGSTOP)
        pictures = [encoded(photo(side_px=40, left=left)) for left in range(5)]
        pending = [senders.submit(send, service, picture) for picture in pictures]
        service.wait_until("a queue", running=1, queued=4)
        service.process.send_signal(signal.SIGTERM)
        responses = [p.result() for p in pending]
        assert [r.status_code for r in responses] == [503] * 5
        assert {r.json()["type"] for r in responses} == {"urn:pixelmend:problem:draining"}
        assert service.process.wait(45) == 0


@pytest.mark.full
def test_absent_device_is_an_error_and_never_a_silent_cpu(tmp_path: Path) -> None:
    with running_service(tmp_path, wait_for_port_only=True, device="cuda:7") as service:
        service.wait_until("the diagnosis", status="unhealthy", worker_restarts=2)
        health = service.client.get("/api/health")
        assert health.status_code == 503
        assert "device=cuda:7" in health.json()["reasons"][0]
        response = send(service, QUICK)
        assert (response.status_code, response.json()["type"]) == (503, "urn:pixelmend:problem:no-worker")


@pytest.mark.full
@pytest.mark.drill("a broken default model", times=1)
def test_broken_default_model_is_named_and_others_serve(tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (models / "broken.pth").write_bytes(b"<html>Not found</html>")
    with running_service(tmp_path, wait_for_port_only=True, default_model="broken") as service:
        service.wait_until("the diagnosis", status="degraded", model_loaded=False)
        assert "web page" in service.client.get("/api/health").json()["reasons"][0]
        assert service.client.get("/readyz").status_code == 503
        refused = send(service, QUICK)
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:pixelmend:problem:model-unusable")
        fields = {"model": "pixelmend-x4"}
        served = service.client.post("/api/upscale", files={"file": QUICK}, data=fields)
        assert served.status_code == 200


@pytest.mark.full
def test_full_disk_is_said_before_the_upload_is_read(tmp_path: Path) -> None:
    with running_service(tmp_path, wait_for_port_only=True, min_free_disk_bytes=10**18) as service:
        response = send(service, QUICK)
        assert (response.status_code, response.json()["type"]) == (503, "urn:pixelmend:problem:storage-full")
        assert service.spooled_files() == []
