"""A service that is killed between a job's end and the delivery of that news."""

import time
from pathlib import Path
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
                    assert time.monotonic() < deadline_s, service.log
                    time.sleep(0.02)
                service.kill()
        is_well = True
        with running_service(tmp_path, PROGRAM, webhook_secret=SECRET) as service:
            deadline_s = time.monotonic() + 120
            while set(delivered) != accepted:
                assert time.monotonic() < deadline_s, service.log
                time.sleep(0.05)
            assert {service.ended_job(job)["state"] for job in accepted} == {"done"}
    assert {job["state"] for job in delivered.values()} == {"done"}
