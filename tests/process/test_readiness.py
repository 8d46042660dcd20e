"""Ready means ready, and a process that was absent blames no other one for it."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.pictures import encoded, photo
from tests.service import RunningService, running_service

pytestmark = pytest.mark.full

HEARTBEAT_TIMEOUT_S = 3.0
ABSENCE_S = 5.0
QUICK = encoded(photo(side_px=40))
SLOW = encoded(photo(side_px=500, left=0, top=0), "JPEG", quality=95)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    folder = tmp_path_factory.mktemp("absent")
    with running_service(folder, heartbeat_timeout_s=HEARTBEAT_TIMEOUT_S) as running:
        yield running


@pytest.mark.drill("SIGKILL of a starting worker", times=2)
def test_a_third_worker_that_starts_after_two_that_did_not_gets_work(tmp_path: Path) -> None:
    with running_service(tmp_path, wait_for_port_only=True) as service:
        for restarts in (1, 2):
            service.worker().kill()
            service.wait_until("a restart", worker_restarts=restarts)
        refused = service.client.post("/api/upscale", files={"file": QUICK})
        assert refused.json()["type"] == "urn:pixelmend:problem:no-worker"
        service.wait_until_ready()
        assert service.client.get("/readyz").status_code == 200
        assert "pixelmend_ready 1.0" in service.client.get("/metrics").text
        response = service.client.post("/api/upscale", files={"file": QUICK})
        assert response.status_code == 200, response.text


@pytest.mark.drill("SIGSTOP of the API process", times=1)
def test_a_service_that_was_paused_kills_no_worker_and_quarantines_nothing(own: RunningService) -> None:
    worker = own.worker()
    with ThreadPoolExecutor(1) as sender:
        for _ in range(2):
            headers = {"Cache-Control": "no-cache"}
            pending = sender.submit(own.client.post, "/api/upscale", files={"file": SLOW}, headers=headers)
            own.wait_until("a running job", running=1)
            own.process.send_signal(signal.SIGSTOP)
            time.sleep(ABSENCE_S)
            own.process.send_signal(signal.SIGCONT)
            response = pending.result()
            assert response.status_code == 200, response.text
    own.wait_until("health", status="healthy", worker_restarts=0)
    assert worker.is_running()
    assert "this process was absent" in own.log


@pytest.mark.drill("SIGSTOP of the whole service", times=1)
def test_a_whole_service_that_was_frozen_goes_on(own: RunningService) -> None:
    worker = own.worker()
    for process in (worker, own.process):
        process.send_signal(signal.SIGSTOP)
    time.sleep(ABSENCE_S)
    for process in (own.process, worker):
        process.send_signal(signal.SIGCONT)
    response = own.client.post("/api/upscale", files={"file": QUICK})
    assert response.status_code == 200, response.text
    own.wait_until("health", status="healthy", worker_restarts=0)
    assert worker.is_running()
