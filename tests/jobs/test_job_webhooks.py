"""`webhook_url`: a real receiver is told of every end, signed, and again until it takes it."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pixelmend.core.errors import InvalidParameter
from pixelmend.jobs import deliveries
from pixelmend.jobs.job_webhooks import signature
from tests.inprocess import ThreadService, service_in_threads
from tests.pictures import encoded, photo
from tests.receiver import HOST, SECRET, telling, told
from tests.service import ServiceClient
from tests.web_server import Answer, Asked, WebServer, web_server

WAIT_S = 60.0


class Receiver:
    """failures: how many of the next requests are answered with 500."""

    def __init__(self) -> None:
        self.failures = 0
        self.jobs: list[dict[str, Any]] = []

    def __call__(self, asked: Asked) -> Answer:
        self.jobs.append(told(asked))
        if self.failures:
            self.failures -= 1
            return 500, {}, b""
        return (302, {"Location": "/elsewhere"}, b"") if asked.path == "/moved" else (204, {}, b"")


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def server(receiver: Receiver) -> Iterator[WebServer]:
    with web_server(receiver) as running:
        yield running


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreadService]:
    with service_in_threads(
        tmp_path_factory.mktemp("webhooks"), None, None, None, telling(), webhook_secret=SECRET
    ) as running:
        yield running


def image(number: int) -> bytes:
    return encoded(photo(side_px=32, left=100 + number))


def submit(service: ServiceClient, server: WebServer, data: bytes, path: str = "/hook?key=hidden") -> Any:
    answer = service.post_job(data, scale=2, webhook_url=f"http://{HOST}:{server.port}{path}")
    assert answer.status_code == 202, answer.text
    return answer.json()


def shown(service: ServiceClient, job_id: str, state: str) -> dict[str, Any]:
    deadline_s = time.monotonic() + WAIT_S
    while time.monotonic() < deadline_s:
        webhook: dict[str, Any] = service.job(job_id)["webhook"]
        if webhook["state"] == state:
            return webhook
        time.sleep(0.05)
    raise AssertionError(f"{webhook}\n{service.log_excerpt}")


def test_every_kind_of_end_is_told_as_the_job_is_seen(
    service: ThreadService, server: WebServer, receiver: Receiver
) -> None:
    done = submit(service, server, image(1))
    assert done["webhook"] == {"state": "pending", "attempts": 0, "last_error": None}
    assert shown(service, done["id"], "delivered") == {
        "state": "delivered",
        "attempts": 1,
        "last_error": None,
    }
    cut = encoded(photo(side_px=64), "JPEG")
    failed = submit(service, server, cut[: len(cut) // 2])
    shown(service, failed["id"], "delivered")
    service.hold_worker()
    cancelled = submit(service, server, image(2))
    service.client.delete(f"/api/jobs/{cancelled['id']}")
    shown(service, cancelled["id"], "delivered")
    service.release_worker()
    assert [job["state"] for job in receiver.jobs] == ["done", "failed", "cancelled"]
    seen = service.job(done["id"])
    assert {**receiver.jobs[0], "webhook": None} == {**seen, "webhook": None}
    assert "hidden" not in service.log
    assert server.asked[0].headers["host"] == f"{HOST}:{server.port}"


@pytest.mark.full
def test_receiver_that_fails_is_told_again(
    service: ThreadService, server: WebServer, receiver: Receiver
) -> None:
    receiver.failures = 2
    job = submit(service, server, image(3))
    waiting = shown(service, job["id"], "pending")
    assert shown(service, job["id"], "delivered")["attempts"] == 3
    assert len(receiver.jobs) == 3
    assert waiting["last_error"] in (None, "the receiver answers 500")


def test_redirects_are_no_delivery(service: ThreadService, server: WebServer) -> None:
    job = submit(service, server, image(4), "/moved")
    deadline_s = time.monotonic() + WAIT_S
    while service.job(job["id"])["webhook"]["attempts"] < 1:
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    assert service.job(job["id"])["webhook"]["last_error"] == "the receiver answers 302"
    assert {asked.path for asked in server.asked} == {"/moved"}


def test_work_that_is_done_already_is_told_at_once_and_to_each_address(
    service: ThreadService, server: WebServer, receiver: Receiver
) -> None:
    first = submit(service, server, image(5), "/one")
    shown(service, first["id"], "delivered")
    second = submit(service, server, image(5), "/two")
    assert second["id"] == first["id"]
    shown(service, first["id"], "delivered")
    assert [asked.path for asked in server.asked] == ["/one", "/two"]


@pytest.mark.full
def test_delivery_outlives_a_stop_of_the_service(
    tmp_path: Path, server: WebServer, receiver: Receiver
) -> None:
    receiver.failures = 1_000
    with service_in_threads(tmp_path, None, None, None, telling(), webhook_secret=SECRET) as first:
        job = submit(first, server, image(6))
        first.ended_job(job["id"])
        deadline_s = time.monotonic() + WAIT_S
        while not receiver.jobs:
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
    receiver.failures = 0
    with service_in_threads(tmp_path, None, None, None, telling(), webhook_secret=SECRET) as second:
        assert shown(second, job["id"], "delivered")["attempts"] >= 2
    assert {each["id"] for each in receiver.jobs} == {job["id"]}


def test_addresses_that_may_not_be_told_are_refused_before_the_work(
    service: ThreadService, server: WebServer
) -> None:
    before = service.client.get("/api/jobs").json()
    for url, words in (
        (f"http://elsewhere.example:{server.port}/", "not one of WEBHOOK_HOSTS"),
        (f"http://user:word@{HOST}/", "user name"),
        ("file:///etc/passwd", "http or https"),
    ):
        answer = service.post_job(image(7), webhook_url=url)
        assert (answer.status_code, words in answer.json()["detail"]) == (422, True), answer.text
    waited = service.client.post("/api/upscale", files={"file": image(7)}, data={"webhook_url": "http://x"})
    assert (waited.status_code, "no field 'webhook_url'" in waited.json()["detail"]) == (422, True)
    assert service.client.get("/api/jobs").json() == before


def test_this_machine_is_not_told_even_if_its_name_is_listed(tmp_path: Path, server: WebServer) -> None:
    """As the system resolves names, with nothing replaced."""
    with service_in_threads(tmp_path, webhook_hosts="localhost", webhook_secret=SECRET) as own:
        answer = own.post_job(image(8), webhook_url=f"http://localhost:{server.port}/")
        job_id = answer.json()["id"]
        own.ended_job(job_id)
        deadline_s = time.monotonic() + WAIT_S
        while own.job(job_id)["webhook"]["attempts"] < 1:
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
        assert "no public address" in own.job(job_id)["webhook"]["last_error"]
    assert server.connections == 0


def test_off_unless_hosts_are_listed(tmp_path: Path) -> None:
    with service_in_threads(tmp_path) as own:
        answer = own.post_job(image(9), webhook_url="http://receiver.example/")
        assert (answer.status_code, "names no hosts" in answer.json()["detail"]) == (422, True)


def test_hosts_need_a_secret(tmp_path: Path) -> None:
    with (
        pytest.raises(InvalidParameter, match="webhook_secret"),
        service_in_threads(tmp_path, webhook_hosts="receiver.example"),
    ):
        pass


def test_signature_is_as_it_is_described() -> None:
    """Computed by another tool: printf '1700000000.{}' | openssl dgst -sha256 -hmac key."""
    assert signature("key", b"{}", 1_700_000_000) == (
        "t=1700000000,v1=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae"
    )


def test_receiver_of_the_guide_knows_what_is_ours_and_what_is_not() -> None:
    text = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?is_ours.*?)```", text, re.DOTALL)
    module: dict[str, Any] = {}
    exec(compile(example, "receiver.py", "exec"), module)
    header = signature(SECRET, b"{}", 1)
    assert module["is_ours"](SECRET, header, b"{}")
    assert not module["is_ours"](SECRET, header, b"[]")
    assert not module["is_ours"]("another", header, b"{}")
    assert not module["is_ours"](SECRET, header.replace("t=1", "t=2"), b"{}")


@pytest.mark.full
def test_receiver_that_never_takes_it_is_given_up(
    service: ThreadService, server: WebServer, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With pauses of a hundredth; it is the number of attempts that counts."""
    monkeypatch.setattr(deliveries, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(deliveries, "LONGEST_PAUSE_S", 0.01)
    receiver.failures = 1_000
    job = submit(service, server, image(10))
    given_up = shown(service, job["id"], "failed")
    assert given_up == {"state": "failed", "attempts": 10, "last_error": "the receiver answers 500"}
    assert len(receiver.jobs) == deliveries.MAX_FAILURES
    receiver.failures = 0
    submit(service, server, image(10))  # asked for again, it begins again
    assert shown(service, job["id"], "delivered")["attempts"] == 1
