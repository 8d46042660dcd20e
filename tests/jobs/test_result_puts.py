"""`result_url`: a real receiver gets every result, whole, and again until it takes it."""

import io
import socket
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pixelmend.jobs import deliveries, result_puts
from tests.inprocess import ThreadService, service_in_threads
from tests.pictures import decoded, encoded, photo
from tests.receiver import HOST, SECRET, putting, telling, told
from tests.service import ServiceClient
from tests.web_server import Answer, Asked, WebServer, web_server

WAIT_S = 60.0
PRESIGNED = "/bucket/a%20b%2Fc+d.png?X-Amz-SignedHeaders=host&X-Amz-Signature=hidden%2Fhidden%3D&x=a+b"
"""With what a client that parses an address could change."""


class Receiver:
    """failures: how many of the next requests are answered with 503."""

    def __init__(self) -> None:
        self.failures = 0

    def __call__(self, asked: Asked) -> Answer:
        if self.failures:
            self.failures -= 1
            return 503, {}, b""
        return 200, {}, b""


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
        tmp_path_factory.mktemp("puts"), None, None, None, telling(), putting(), webhook_secret=SECRET
    ) as running:
        yield running


def image(number: int) -> bytes:
    return encoded(photo(side_px=32, top=100 + number))


def address(server: WebServer, path: str = PRESIGNED) -> str:
    return f"http://{HOST}:{server.port}{path}"


def submit(service: ServiceClient, data: bytes, url: str, **fields: str) -> Any:
    answer = service.post_job(data, None, scale=2, result_url=url, **fields)
    assert answer.status_code == 202, answer.text
    return answer.json()


def shown(service: ServiceClient, job_id: str, state: str) -> dict[str, Any]:
    deadline_s = time.monotonic() + WAIT_S
    while time.monotonic() < deadline_s:
        delivery: dict[str, Any] = service.job(job_id)["delivery"]
        if delivery["state"] == state:
            return delivery
        time.sleep(0.05)
    raise AssertionError(f"{delivery}\n{service.log_excerpt}")


def test_result_is_put_as_it_is_to_the_address_as_it_was_written(
    service: ThreadService, server: WebServer
) -> None:
    job = submit(service, image(1), address(server), format="webp")
    assert job["delivery"] == {"state": "pending", "attempts": 0, "last_error": None}
    assert shown(service, job["id"], "delivered")["attempts"] == 1
    (asked,) = server.asked
    result = service.client.get(f"/api/jobs/{job['id']}/result")
    assert (asked.method, asked.path, asked.body) == ("PUT", PRESIGNED, result.content)
    assert asked.headers["content-type"] == "image/webp"
    assert asked.headers["content-length"] == str(len(result.content))
    assert asked.headers["host"] == f"{HOST}:{server.port}"
    # What a signature does not know may break it.
    others = set(asked.headers) - {"content-type", "content-length", "host"}
    assert others == {"accept", "accept-encoding", "connection", "user-agent"}
    assert "hidden" not in service.log
    assert "hidden" not in service.client.get(f"/api/jobs/{job['id']}").text


def test_archive_of_a_batch_is_put_as_well(service: ThreadService, server: WebServer) -> None:
    parts = [("files", ("a.png", image(2))), ("files", ("b.png", image(3)))]
    data = {"task": "upscale-batch", "scale": "2", "result_url": address(server)}
    job = service.client.post("/api/jobs", files=parts, data=data).json()
    shown(service, job["id"], "delivered")
    (asked,) = server.asked
    assert asked.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(asked.body)) as archive:
        assert decoded(archive.read("a.png")).shape == (64, 64, 3)


def test_news_of_the_end_comes_after_the_result(
    service: ThreadService, server: WebServer, receiver: Receiver
) -> None:
    """A receiver that is told may look for the file at once."""
    receiver.failures = 1
    job = submit(service, image(4), address(server), webhook_url=address(server, "/told"))
    shown(service, job["id"], "delivered")
    deadline_s = time.monotonic() + WAIT_S
    while service.job(job["id"])["webhook"]["state"] != "delivered":
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    assert [asked.method for asked in server.asked] == ["PUT", "PUT", "POST"]
    assert told(server.asked[2])["delivery"] == {"state": "delivered", "attempts": 2, "last_error": None}


def test_failed_job_has_nothing_to_deliver_and_says_so(service: ThreadService, server: WebServer) -> None:
    cut = encoded(photo(side_px=64), "JPEG")
    job = submit(service, cut[: len(cut) // 2], address(server))
    assert shown(service, job["id"], "failed")["last_error"] == "the job is failed, so it has no result"
    assert server.connections == 0


def test_what_may_not_be_reached_is_refused_before_the_work(service: ThreadService) -> None:
    before = service.client.get("/api/jobs").json()
    for url, words in (
        ("http://elsewhere.example/?sig=hidden", "not one of RESULT_HOSTS"),
        (f"http://user:word@{HOST}/", "user name"),
        (f"ftp://{HOST}/?sig=hidden", "http or https"),
        (f"http://{HOST}:port/?sig=hidden", "no URL"),
        (f"http://{HOST}/?sig=hidden{'x' * 2048}", "2048 characters"),
    ):
        answer = service.post_job(image(7), result_url=url)
        assert (answer.status_code, words in answer.json()["detail"]) == (422, True), answer.text
        assert "hidden" not in answer.text
    waited = service.client.post("/api/upscale", files={"file": image(7)}, data={"result_url": "http://x"})
    assert (waited.status_code, "no field 'result_url'" in waited.json()["detail"]) == (422, True)
    assert service.client.get("/api/jobs").json() == before
    assert "hidden" not in service.log


def test_this_machine_gets_nothing_even_if_its_name_is_listed(tmp_path: Path, server: WebServer) -> None:
    """As the system resolves names, with nothing replaced."""
    with service_in_threads(tmp_path, result_hosts="localhost") as own:
        job = submit(own, image(8), f"http://localhost:{server.port}/?sig=hidden")
        deadline_s = time.monotonic() + WAIT_S
        while own.job(job["id"])["delivery"]["attempts"] < 1:
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
        last_error = own.job(job["id"])["delivery"]["last_error"]
        assert "no public address" in last_error
        assert "hidden" not in last_error + own.log
    assert server.connections == 0


def test_result_is_kept_until_it_is_delivered(
    tmp_path: Path, server: WebServer, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although nothing is kept for clients that come back."""
    monkeypatch.setattr(deliveries, "FIRST_PAUSE_S", 0.01)
    receiver.failures = 3
    with service_in_threads(tmp_path, None, None, None, None, putting(), result_ttl_s=0) as own:
        job = submit(own, image(9), address(server))
        assert shown(own, job["id"], "delivered")["attempts"] == 4
        assert decoded(server.asked[-1].body).shape == (64, 64, 3)
        own.wait_until_spool_is_empty()
        assert own.job(job["id"])["state"] == "expired"


def test_result_that_was_given_up_is_delivered_no_more(
    service: ThreadService, server: WebServer, receiver: Receiver
) -> None:
    receiver.failures = 1_000
    job = submit(service, image(10), address(server))
    service.ended_job(job["id"])
    service.client.delete(f"/api/jobs/{job['id']}")
    assert shown(service, job["id"], "failed")["last_error"] == "the result is kept no longer"


@pytest.mark.full
def test_what_was_promised_ends_although_the_setting_is_gone(tmp_path: Path, server: WebServer) -> None:
    def refuse(asked: Asked) -> Answer:
        return 503, {}, b""

    with web_server(refuse) as busy:
        with service_in_threads(tmp_path, None, None, None, None, putting()) as first:
            job = submit(first, image(11), address(busy))
            first.ended_job(job["id"])
        with (
            pytest.MonkeyPatch.context() as patch,
            service_in_threads(tmp_path) as second,
        ):
            patch.setattr(deliveries, "FIRST_PAUSE_S", 0.01)
            patch.setattr(deliveries, "LONGEST_PAUSE_S", 0.01)
            assert "names no hosts" in shown(second, job["id"], "failed")["last_error"]


def test_receiver_that_does_not_answer_is_given_up_in_time(
    service: ThreadService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result_puts, "MIN_TIMEOUT_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        job = submit(service, image(12), f"http://{HOST}:{silent.getsockname()[1]}/?sig=hidden")
        deadline_s = time.monotonic() + WAIT_S
        while not (last_error := service.job(job["id"])["delivery"]["last_error"]):
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
    assert last_error == "not taken within 1 s"
