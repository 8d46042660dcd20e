"""HTTP/1.0 clients, by sockets of their own: a body that ends with its connection, and no chunks."""

import io
import socket
import zipfile
from urllib.parse import urlsplit

from tests.pictures import encoded, photo
from tests.service import ServiceClient

GOOD = encoded(photo(side_px=40), "JPEG")


def answered(service: ServiceClient, head: str, body: bytes = b"") -> tuple[str, bytes]:
    """Head and body, once the service has closed the connection."""
    address = urlsplit(service.base_url)
    assert address.hostname is not None
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        connection.sendall(f"{head}\r\nHost: localhost\r\n{length}\r\n".encode() + body)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    before, _, after = received.partition(b"\r\n\r\n")
    return before.decode().lower(), after


def test_archive_that_grows_is_sent_without_chunks(service: ServiceClient) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n'
        + GOOD
        + b"\r\n--b--\r\n"
    )
    head = "POST /api/upscale-batch HTTP/1.0\r\nContent-Type: multipart/form-data; boundary=b"
    before, after = answered(service, head, body)
    assert before.startswith("http/1.1 200")
    assert "transfer-encoding" not in before
    assert "connection: close" in before
    with zipfile.ZipFile(io.BytesIO(after)) as archive:
        assert archive.namelist() == ["a.png", "manifest.json"]


def test_events_are_sent_without_chunks(service: ServiceClient) -> None:
    job = service.post_job(GOOD).json()["id"]
    before, after = answered(service, f"GET /api/jobs/{job}/events HTTP/1.0")
    assert "transfer-encoding" not in before
    assert after.startswith(b"retry: 2000\n\n")
    assert after.rstrip().endswith(b"id: end")


def test_what_has_a_length_is_sent_with_it(service: ServiceClient) -> None:
    before, after = answered(service, "GET /livez HTTP/1.0")
    assert f"content-length: {len(after)}" in before
    head, nothing = answered(service, "HEAD / HTTP/1.0")
    assert (head.startswith("http/1.1"), nothing) == (True, b"")


def test_newer_clients_get_chunks_and_keep_their_connection(service: ServiceClient) -> None:
    answer = service.client.post("/api/upscale-batch", files=[("files", ("b.jpg", GOOD))])
    assert answer.headers["transfer-encoding"] == "chunked"
    assert "connection" not in answer.headers
