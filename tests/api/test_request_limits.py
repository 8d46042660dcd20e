"""Every phase of a request has an end: header, body, trailers, and what comes after the answer."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from pixelmend.api.request_limits import MAX_HEAD_BYTES, MAX_HEADERS
from tests.inprocess import service_in_threads
from tests.service import RunningService, ServiceClient, running_service

HEADER_TIMEOUT_S = 1.0
UPLOAD_TIMEOUT_S = 2.0
NEVER_S = 60.0
"""A connection that is open after so long is not closed at all."""
SLACK_BYTES = 16_000_000
"""What the kernel's buffers take before a sender hears of the end."""
JOB_HEAD = (
    b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
    b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
)
PART_HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(
        tmp_path_factory.mktemp("protocol"),
        wait_for_port_only=True,
        header_timeout_s=HEADER_TIMEOUT_S,
        upload_timeout_s=UPLOAD_TIMEOUT_S,
        api_keys="a key that these requests do not have",
        max_upload_bytes=1_000_000,
    ) as service:
        yield service


def connected(service: ServiceClient) -> socket.socket:
    url = httpx.URL(service.base_url)
    connection = socket.create_connection((url.host, url.port or 80), timeout=NEVER_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def sent_until_closed(connection: socket.socket, piece: bytes, pause_s: float = 0.0) -> int:
    """Bytes that went out before the service closed the connection."""
    sent, deadline_s = 0, time.monotonic() + NEVER_S
    connection.setblocking(False)
    while time.monotonic() < deadline_s:
        try:
            sent += connection.send(piece)
            time.sleep(pause_s)
        except BlockingIOError:
            time.sleep(0.01)
        except OSError:
            return sent
        try:
            if not connection.recv(1 << 16):
                return sent
        except BlockingIOError:
            pass
        except OSError:
            return sent
    raise AssertionError(f"the connection is still open after {sent} bytes")


def answer_to(connection: socket.socket, piece: bytes) -> bytes:
    """The first answer, with `piece` sent again and again until it comes."""
    answer = b""
    connection.settimeout(0.05)
    while b"\r\n\r\n{" not in answer:
        with suppress(TimeoutError):
            answer += connection.recv(1 << 16)
        if not answer:
            connection.sendall(piece)
    return answer


def memory_bytes(service: RunningService) -> int:
    return int(psutil.Process(service.process.pid).memory_info().rss)


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (JOB_HEAD + b"0\r\n", b"a: b\r\n" * 10_000),
        (JOB_HEAD + b"0\r\nlong: ", b"x" * 60_000),
        (JOB_HEAD + b"5\r\nabcde\r\n0\r\n", b"a: b\r\n" * 10_000),
        (JOB_HEAD + b"5;", b"x" * 60_000),
        (b"GET /livez HTTP/1.1\r\n", b"a: b\r\n" * 10_000),
        (b"GET /livez HTTP/1.1\r\nlong: ", b"x" * 60_000),
        (b"GET /", b"x" * 60_000),
        (b"", b"\r\n" * 30_000),
    ],
    ids=[
        "trailers",
        "trailer",
        "trailers after a body",
        "chunk extension",
        "headers",
        "header",
        "url",
        "nothing",
    ],
)
def test_what_is_no_body_is_bounded_in_bytes(own: RunningService, head: bytes, piece: bytes) -> None:
    before = memory_bytes(own)
    with connected(own) as connection:
        connection.sendall(head)
        assert sent_until_closed(connection, piece) < SLACK_BYTES
    assert memory_bytes(own) - before < 30_000_000
    assert own.client.get("/livez").status_code == 200


def test_headers_are_counted(own: RunningService) -> None:
    many = {f"x-{n}": "1" for n in range(MAX_HEADERS)}
    assert own.client.get("/livez", headers=many).status_code == 400
    few = dict(list(many.items())[: MAX_HEADERS - 10])
    assert own.client.get("/livez", headers=few).status_code == 200
    large = {"x-large": "x" * (MAX_HEAD_BYTES - 2000)}
    assert own.client.get("/livez", headers=large).status_code == 200


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"", b"\r\n"),
        (b"GET /livez HTTP/1.1\r\n", b"a: b\r\n"),
        (b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\nGET /livez", b"z"),
        (b"GET /livez HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (JOB_HEAD, b"1\r\nx\r\n"),
    ],
    ids=["nothing", "header", "second header", "unread body", "refused body"],
)
def test_what_comes_bit_by_bit_has_an_end(own: RunningService, head: bytes, piece: bytes) -> None:
    with connected(own) as connection:
        connection.sendall(head)
        sent_until_closed(connection, piece, pause_s=0.05)


@pytest.mark.full
def test_a_connection_between_two_requests_is_kept(own: RunningService) -> None:
    """A client that reuses it would otherwise find it closed at any moment."""
    requests = (
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /api/estimate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nabcde",
    )
    with connected(own) as connection:
        for request in (*requests, *requests):
            connection.sendall(request)
            connection.settimeout(2 * HEADER_TIMEOUT_S)
            answer = b""
            with suppress(TimeoutError):  # nothing more comes, and the connection stays open
                while True:
                    piece = connection.recv(1 << 16)
                    assert piece, f"closed after {answer!r}"
                    answer += piece
            assert answer.startswith(b"HTTP/1.1 ")


@pytest.mark.full
def test_a_connection_that_says_nothing_is_closed(own: RunningService) -> None:
    with connected(own) as silent:
        assert silent.recv(1) == b""
    # An answer that takes longer than a header may is not cut off.
    with connected(own) as events:
        events.sendall(
            b"GET /api/memory/events HTTP/1.1\r\nHost: localhost\r\n"
            b"X-API-Key: a key that these requests do not have\r\n\r\n"
        )
        assert events.recv(12) == b"HTTP/1.1 200"
        events.settimeout(3 * HEADER_TIMEOUT_S)
        until_s = time.monotonic() + 3 * HEADER_TIMEOUT_S
        with suppress(TimeoutError):
            while time.monotonic() < until_s:
                assert events.recv(1 << 16), "the stream was cut off"


def test_a_chunked_upload_has_a_deadline_and_needs_room_while_it_arrives(tmp_path: Path) -> None:
    free = psutil.disk_usage(str(tmp_path)).free
    room = 400_000_000
    with service_in_threads(
        tmp_path,
        min_free_disk_bytes=free - room,
        upload_timeout_s=UPLOAD_TIMEOUT_S,
        max_upload_bytes=100_000_000,
    ) as service:
        with connected(service) as slow:
            slow.sendall(JOB_HEAD + b"%x\r\n%s\r\n" % (len(PART_HEAD), PART_HEAD))
            answer = answer_to(slow, b"1\r\nx\r\n")
        assert b" 400 " in answer.split(b"\r\n")[0]
        assert b"upload_timeout_s=2" in answer
        with connected(service) as sender:
            sender.sendall(JOB_HEAD + b"%x\r\n%s\r\n" % (len(PART_HEAD), PART_HEAD))
            with (tmp_path / "other").open("wb") as other:
                os.posix_fallocate(other.fileno(), 0, 2 * room)  # another process takes the room
                for _ in range(3):
                    sender.sendall(b"100000\r\n" + bytes(1 << 20) + b"\r\n")
                answer = answer_to(sender, b"")
        assert b" 503 " in answer.split(b"\r\n")[0]
        assert b"storage-full" in answer
        assert service.spooled_files() == []
