"""HEAD wherever GET is, and the methods that a path has."""

import http.client
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import pytest

from tests.pictures import encoded, photo
from tests.service import ServiceClient

CHANGING = ("date", "x-request-id", "content-length", "last-modified")


@contextmanager
def connected(service: ServiceClient) -> Iterator[http.client.HTTPConnection]:
    """One connection, which bytes after an answer's headers would put out of step."""
    with closing(http.client.HTTPConnection(urlsplit(service.base_url).netloc, timeout=10)) as connection:
        connection.connect()
        socket = connection.sock
        yield connection
        assert connection.sock is socket


def asked(
    connection: http.client.HTTPConnection, method: str, path: str, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, body


def submitted(service: ServiceClient) -> str:
    files = {"file": encoded(photo(side_px=40))}
    return str(service.client.post("/api/jobs", data={"task": "upscale"}, files=files).json()["id"])


def test_every_path_answers_head_as_get_without_a_body(service: ServiceClient) -> None:
    described = service.client.get("/openapi.json").json()["paths"]
    paths = [path for path, item in described.items() if "get" in item and "{" not in path]
    assert len(paths) > 12
    with connected(service) as connection:
        for path in [*paths, "/", "/docs", "/openapi.json", "/nothing", "/api/nothing"]:
            status, headers, body = asked(connection, "HEAD", path)
            if headers.get("content-type", "").startswith("text/event-stream"):
                assert (status, body) == (200, b"")  # with GET it would never end
                continue
            wanted, wanted_headers, content = asked(connection, "GET", path)
            assert (status, body) == (wanted, b""), path
            assert bool(content) == (headers.get("content-length", "0") != "0"), path
            for changing in CHANGING:
                assert (changing in headers) == (changing in wanted_headers), path
                headers.pop(changing, None)
                wanted_headers.pop(changing, None)
            assert headers == wanted_headers, path


def test_a_result_is_described_whole_and_its_events_end_at_once(service: ServiceClient) -> None:
    service.hold_worker()
    try:
        job_id = submitted(service)
        path = f"/api/jobs/{job_id}"
        with connected(service) as connection:
            for _ in range(2):
                status, headers, _ = asked(connection, "HEAD", f"{path}/events")
                assert (status, headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
            assert asked(connection, "GET", path)[0] == 200
    finally:
        service.release_worker()
    service.ended_job(job_id)
    with connected(service) as connection:
        status, headers, content = asked(connection, "GET", f"{path}/result")
        # Ranges are for GET alone (RFC 9110, section 14.2).
        told = asked(connection, "HEAD", f"{path}/result", Range="bytes=0-9")
        assert (told[0], told[1]["content-length"], told[2]) == (200, str(len(content)), b"")
        assert told[1]["etag"] == headers["etag"]
        assert asked(connection, "HEAD", f"{path}/result", **{"If-None-Match": headers["etag"]})[0] == 304
        assert asked(connection, "GET", f"{path}/result", Range="bytes=0-9")[2] == content[:10]
    assert "bug" not in service.log_excerpt


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/upscale", "POST"),
        ("HEAD", "/api/upscale", "POST"),
        ("DELETE", "/api/jobs", "GET, HEAD, POST"),
        ("POST", "/api/jobs/0", "GET, HEAD, DELETE"),
        ("POST", "/api/management", "GET, HEAD, PATCH"),
        ("PURGE", "/livez", "GET, HEAD"),
        ("POST", "/", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_all_that_there_are(
    service: ServiceClient, method: str, path: str, allowed: str
) -> None:
    response = service.client.request(method, path)
    assert (response.status_code, response.headers["allow"]) == (405, allowed)
