"""Clients that offer HTTP/2 with their requests, as Java's do, and are answered in HTTP/1.1."""

import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

import pytest

from tests.pictures import encoded, photo
from tests.service import ServiceClient

BODY = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    + encoded(photo(side_px=40), "PNG")
    + b"\r\n--b--\r\n"
)
OFFER = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAA\r\n"
LENGTH = f"Content-Length: {len(BODY)}\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"
CHUNKS = b"".join(
    f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in (BODY[:50], BODY[50:1000], BODY[1000:], b"")
)
LAST = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def head(start: str, *lines: str) -> bytes:
    return (f"{start} HTTP/1.1\r\nHost: localhost\r\n" + "".join(lines) + "\r\n").encode()


def upload(*lines: str) -> bytes:
    return head("POST /api/upscale", "Content-Type: multipart/form-data; boundary=b\r\n", *lines)


def received(service: ServiceClient, pieces: Sequence[bytes]) -> bytes:
    """All that the service sends until it closes the connection. Each piece is a segment of its own."""
    address = urlsplit(service.base_url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def statuses(answers: bytes) -> list[int]:
    return [int(part[:3]) for part in answers.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize(("framing", "body"), [(LENGTH, BODY), (CHUNKED, CHUNKS)], ids=["length", "chunks"])
@pytest.mark.parametrize("cuts", ["whole", "head and body", "small pieces"])
def test_an_upload_with_an_offer_is_served(
    service: ServiceClient, framing: str, body: bytes, cuts: str
) -> None:
    start = upload(OFFER, framing)
    whole = start + body + LAST
    pieces = {
        "whole": [whole],
        "head and body": [start, body, LAST],
        "small pieces": [whole[at : at + 700] for at in range(0, len(whole), 700)],
    }
    answers = received(service, pieces[cuts])
    assert statuses(answers) == [200, 200]
    assert b"\x89PNG" in answers


def test_requests_on_one_connection_may_all_offer(service: ServiceClient) -> None:
    asked = head("GET /livez", OFFER)
    uploaded = upload(OFFER, LENGTH) + BODY
    assert statuses(received(service, [asked + uploaded + asked + uploaded + LAST])) == [200] * 5
    waited_for = upload(OFFER, LENGTH, "Expect: 100-continue\r\n")
    assert statuses(received(service, [waited_for, BODY + LAST])) == [100, 200, 200]


def test_thousands_of_offers_in_one_piece_are_served(service: ServiceClient) -> None:
    offers = head("GET /livez", "Connection: Upgrade\r\nUpgrade: h2c\r\n") * 2000
    assert statuses(received(service, [offers + LAST])) == [200] * 2001


def test_other_offers_are_left_too(service: ServiceClient) -> None:
    socket_head = head(
        "GET /livez", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    )
    assert statuses(received(service, [socket_head + LAST])) == [200, 200]


def test_a_damaged_body_behind_an_offer_is_refused(service: ServiceClient) -> None:
    assert statuses(received(service, [upload(OFFER, CHUNKED) + b"no size\r\n"])) == [400]
    assert statuses(received(service, [upload(OFFER, LENGTH, CHUNKED) + CHUNKS])) == [400]
