"""A service that is killed between a job's end and the delivery of that news, and of the result."""

import time
from hashlib import sha256
from pathlib import Path
from threading import Event, Semaphore
from typing import Any

import pytest

from tests.pictures import encoded, photo
from tests.receiver import HOST, SECRET, told
from tests.service import running_service
from tests.web_server import Answer, Asked, web_server

PROGRAM = ("-m", "tests.receiver")
ROOT = Path(__file__).parents[2]


@pytest.mark.full
def test_no_end_is_untold_however_often_the_service_is_killed(
    tmp_path: Path, kills: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receiver fails until the last start, so that every kill falls between an end and its delivery."""
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{ROOT / 'backend'}")
    accepted: set[str] = set()
    delivered: dict[str, dict[str, Any]] = {}
    tries = 0
    is_well = False

    def answer(asked: Asked) -> Answer:
        nonlocal tries
        tries += 1
        job = told(asked)
        if not is_well:
            return 503, {}, b""
        delivered[job["id"]] = job
        return 200, {}, b""

    with web_server(answer) as receiver:
        url = f"http://{HOST}:{receiver.port}/hook"
        for round_number in range(kills):
            before = tries
            with running_service(tmp_path, PROGRAM, webhook_secret=SECRET) as service:
                data = encoded(photo("coffee", side_px=32, left=round_number))
                job = service.post_job(data, scale=2, webhook_url=url).json()
                accepted.add(job["id"])
                service.ended_job(job["id"])
                deadline_s = time.monotonic() + 60
                while tries == before:
                    assert time.monotonic() < deadline_s, service.log_excerpt
                    time.sleep(0.02)
                service.kill()
        is_well = True
        with running_service(tmp_path, PROGRAM, webhook_secret=SECRET) as service:
            deadline_s = time.monotonic() + 120
            while set(delivered) != accepted:
                assert time.monotonic() < deadline_s, service.log_excerpt
                time.sleep(0.05)
            assert {service.ended_job(job)["state"] for job in accepted} == {"done"}
    assert {job["state"] for job in delivered.values()} == {"done"}


@pytest.mark.full
def test_no_result_is_undelivered_however_often_the_service_is_killed(
    tmp_path: Path, kills: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every second kill falls into a transfer. The receiver takes nothing until the last start."""
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{ROOT / 'backend'}")
    accepted: dict[str, str] = {}
    delivered: dict[str, str] = {}
    transfers = Semaphore(0)
    go_on = Event()
    is_well = False

    def answer(asked: Asked) -> Answer:
        transfers.release()
        if not is_well:
            go_on.wait(60)
            return 503, {}, b""
        delivered[asked.path] = sha256(asked.body).hexdigest()
        return 200, {}, b""

    with web_server(answer) as receiver:
        for round_number in range(kills):
            while transfers.acquire(blocking=False):
                pass
            if round_number % 2:
                go_on.set()
            else:
                go_on.clear()
            with running_service(tmp_path, PROGRAM, webhook_secret=SECRET) as service:
                data = encoded(photo("coffee", side_px=32, top=round_number))
                url = f"http://{HOST}:{receiver.port}/{round_number}?X-Amz-Signature=hidden"
                job = service.post_job(data, scale=2, result_url=url).json()
                accepted[f"/{round_number}?X-Amz-Signature=hidden"] = job["id"]
                service.ended_job(job["id"])
                assert transfers.acquire(timeout=60), service.log_excerpt
                service.kill()
                assert "hidden" not in service.log
        go_on.set()
        is_well = True
        with running_service(tmp_path, PROGRAM, webhook_secret=SECRET) as service:
            deadline_s = time.monotonic() + 120
            while set(delivered) != set(accepted):
                assert time.monotonic() < deadline_s, service.log_excerpt
                time.sleep(0.05)
            results = {path: service.ended_job(job_id)["result"] for path, job_id in accepted.items()}
    assert {path: result["sha256"] for path, result in results.items()} == delivered
