"""What nobody has foreseen is answered like everything else, and strange values are the caller's error."""

import asyncio
import errno
import io
import json
import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from pixelmend.api.app import create_app
from pixelmend.api.errors import problem_for_status
from pixelmend.api.service import Service, build_service
from pixelmend.core.config import Settings
from pixelmend.core.telemetry import Logger, configure_logging
from tests.pictures import encoded, photo
from tests.service import ServiceClient, running_service

ORIGIN = "https://pictures.example"
DIGITS = "9" * 5000
BUG_LINES = ("request failed by a bug", "request")


@pytest.fixture
def built(tmp_path: Path, log: io.StringIO) -> Iterator[Service]:
    folders: dict[str, Any] = {"data_dir": tmp_path / "data", "models_dir": tmp_path / "models"}
    service = build_service(Settings(_env_file=None, cors_origins=ORIGIN, **folders), Logger())
    yield service
    asyncio.run(service.jobs.close())


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    lines = io.StringIO()
    configure_logging("info", "json", lines)
    yield lines
    configure_logging("info", "auto")


def ask(service: Service, error: Exception) -> httpx.Response:
    app = create_app(service)

    async def fail() -> None:
        raise error

    app.add_api_route("/api/bug/now", fail)

    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(app)  # raises what the server would only log
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get("/api/bug/now", headers={"Origin": ORIGIN, "X-Request-ID": "mine"})

    return asyncio.run(request())


def test_a_bug_has_its_id_its_headers_and_its_true_status(built: Service, log: io.StringIO) -> None:
    answer = ask(built, ZeroDivisionError("a secret of the inside"))
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == "mine"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    problem = answer.json()
    assert (problem["type"], problem["request_id"]) == ("urn:pixelmend:problem:internal", "mine")
    assert "secret" not in answer.text
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    bug, request = (next(line for line in lines if line["event"] == event) for event in BUG_LINES)
    assert (bug["request_id"], "a secret of the inside" in bug["exception"]) == ("mine", True)
    assert (request["request_id"], request["status"]) == ("mine", 500)
    counted = built.metrics.text().decode()
    assert 'pixelmend_requests_total{method="GET",route="/api/bug/now",status="500"} 1.0' in counted
    assert 'pixelmend_errors_total{type="internal",where="request"} 1.0' in counted


@pytest.mark.parametrize(
    ("number", "code"), [("EMFILE", "queue-full"), ("ENFILE", "queue-full"), ("ENOSPC", "storage-full")]
)
def test_what_has_run_out_is_no_bug(built: Service, log: io.StringIO, number: str, code: str) -> None:
    answer = ask(built, OSError(getattr(errno, number), os.strerror(getattr(errno, number))))
    assert (answer.status_code, answer.json()["type"]) == (503, f"urn:pixelmend:problem:{code}")
    assert answer.json()["retryable"] is True
    assert answer.headers["retry-after"]
    assert "failed by a bug" not in log.getvalue()


# --- the real service -------------------------------------------------------------------------------------


@pytest.mark.full
def test_a_service_without_descriptors_says_so_and_recovers(tmp_path: Path) -> None:
    picture = encoded(photo(side_px=36))
    with running_service(tmp_path) as service:
        process = psutil.Process(service.process.pid)
        assert service.client.post("/api/upscale", files={"file": picture}).status_code == 200
        before = process.rlimit(resource.RLIMIT_NOFILE)
        # The client's connection is open and nothing else can be.
        process.rlimit(resource.RLIMIT_NOFILE, (3, before[1]))
        headers = {"Cache-Control": "no-cache"}
        refused = service.client.post("/api/upscale", files={"file": picture}, headers=headers)
        process.rlimit(resource.RLIMIT_NOFILE, before)
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:pixelmend:problem:queue-full")
        again = service.client.post("/api/upscale", files={"file": picture}, headers=headers)
        assert again.status_code == 200
        service.wait_until_spool_is_empty()


@pytest.mark.parametrize(
    "body",
    [
        b'{"image_width": 10, "image_height": 10, "model": "\\ud800"}',
        b'{"image_width": 10, "image_height": 10, "\\udfff": 1}',
        b"[" * 9000,
        b"[" * 8000 + b"]" * 8000,
        b'{"model": ' * 1500,
        b'{"image_width": ' + DIGITS.encode() + b', "image_height": 10}',
        b'{"image_width": 1e400, "image_height": NaN}',
        b"\xff\xfe",
    ],
)
def test_strange_json_is_the_callers_error(service: ServiceClient, body: bytes) -> None:
    answer = service.client.post("/api/estimate", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("field", ["model", "scale", "quality", "format", "tile", "denoise", "width"])
def test_strange_fields_are_the_callers_error(service: ServiceClient, field: str) -> None:
    boundary = {"Content-Type": "multipart/form-data; boundary=x"}
    picture = encoded(photo(side_px=36))
    for value in (b"\xed\xa0\x80", b"9" * 4000, b"\0", b"1e999", "\u0664".encode() * 2000):
        body = (
            b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (field.encode(), value)
            + b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n%s\r\n--x--\r\n'
            % picture
        )
        answer = service.client.post("/api/upscale", content=body, headers=boundary)
        assert answer.status_code in (400, 404, 422), answer.text


def test_strange_headers_and_queries_are_the_callers_error(service: ServiceClient) -> None:
    job = service.post_job(encoded(photo(side_px=36))).json()
    assert service.ended_job(job["id"])["state"] == "done"
    here = f"/api/jobs/{job['id']}"
    asked = [
        (f"{here}/events", {"Last-Event-ID": DIGITS}, (400, 422)),
        (f"{here}/events", {"Last-Event-ID": f"x-{DIGITS}"}, (400, 422)),
        (f"{here}/events", {"Last-Event-ID": "x-" + "9" * 60}, (200,)),
        (f"{here}/result", {"Range": f"bytes=0-{DIGITS}"}, (200, 206, 400, 416)),
        (f"{here}/result", {"Range": f"bytes={DIGITS}-"}, (200, 400, 416)),
        (f"{here}/result", {"If-None-Match": DIGITS}, (200,)),
        (f"/api/memory?points={DIGITS}", {}, (422,)),
        ("/api/memory?points=%ED%A0%80", {}, (422,)),
        ("/api/jobs/%00", {}, (404,)),
        (f"/api/jobs/{DIGITS}", {}, (404,)),
    ]
    for path, headers, statuses in asked:
        answer = service.client.get(path, headers=headers)
        assert answer.status_code in statuses, (path, headers, answer.status_code, answer.text)
    for headers in ({"Accept": f"image/png;q={DIGITS}"}, {"Accept": "image/png;q=1e999"}):
        answer = service.client.post(
            "/api/upscale", files={"file": encoded(photo(side_px=36))}, headers=headers
        )
        assert answer.status_code in (200, 400, 406, 422), answer.text


def test_what_the_framework_refuses_is_called_the_same_on_every_python() -> None:
    answers = [json.loads(bytes(problem_for_status(status, "").body)) for status in (404, 413, 414, 416, 422)]
    assert [answer["type"].rpartition(":")[2] for answer in answers] == [
        "not-found",
        "content-too-large",
        "uri-too-long",
        "range-not-satisfiable",
        "unprocessable-content",
    ]
    assert answers[3]["title"] == "Range Not Satisfiable"
