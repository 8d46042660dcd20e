"""What is refused, with which status, and that the words name the value and the limit."""

import contextlib
import gzip
import socket
import struct
import zlib
from collections.abc import Iterator

import httpx
import pytest

from tests.pictures import encoded, photo
from tests.service import ServiceClient


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"\0" * 100)
    chunks = [
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, data, b"IEND")
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


GOOD = encoded(photo())


@pytest.mark.parametrize(
    ("data", "status", "code", "words"),
    [
        (b"", 422, "invalid-parameter", "0 bytes"),
        (b"hello, this is no image at all", 415, "unsupported-format", "jpeg"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported-format", "SVG"),
        (b"%PDF-1.7 ...", 415, "unsupported-format", "PDF"),
        (GOOD[:40], 422, "corrupt-image", "png"),
        (GOOD[: len(GOOD) // 2], 422, "corrupt-image", "png"),
        (png_header(5000, 300), 422, "image-too-large", "1000000"),
        (png_header(0, 300), 422, "corrupt-image", "0"),
        (png_header(2**31 - 1, 2**31 - 1), 422, "corrupt-image", "2147483647"),
        (png_header(300, 300), 422, "corrupt-image", "png"),
    ],
    ids=[
        "empty", "text", "svg", "pdf", "cut header", "cut data", "large", "no width", "2^31-1", "no data",
    ],
)  # fmt: skip
def test_unusable_image(service: ServiceClient, data: bytes, status: int, code: str, words: str) -> None:
    response = service.client.post("/api/upscale", files={"file": ("innocent.jpg", data, "image/jpeg")})
    check_problem(response, status, code, words)


@pytest.mark.parametrize(
    ("fields", "status", "code", "words"),
    [
        ({"scale": "0.5"}, 422, "invalid-parameter", "0.5"),
        ({"scale": "9"}, 422, "invalid-parameter", "9"),
        ({"scale": "nan"}, 422, "invalid-parameter", "nan"),
        ({"scale": "big"}, 422, "invalid-parameter", "big"),
        ({"scale": "2", "width": "300"}, 422, "invalid-parameter", "exclude"),
        ({"width": "10"}, 422, "invalid-parameter", "width=10"),
        ({"height": "100000"}, 422, "invalid-parameter", "height=100000"),
        ({"width": "0"}, 422, "invalid-parameter", "width"),
        ({"width": "9" * 4000}, 422, "invalid-parameter", "width=9"),
        ({"height": "9" * 4000}, 422, "invalid-parameter", "height=9"),
        ({"model": "nix"}, 404, "unknown-model", "nix"),
        ({"model": "../../etc/passwd"}, 404, "unknown-model", "passwd"),
        ({"model": "realesr-general-x4v3"}, 503, "model-unusable", "realesr-general-x4v3.pth"),
        ({"format": "bmp"}, 422, "invalid-parameter", "bmp"),
        ({"format": "jpeg", "quality": "101"}, 422, "invalid-parameter", "101"),
        ({"format": "png", "quality": "50"}, 422, "invalid-parameter", "quality"),
        ({"tile": "8"}, 422, "invalid-parameter", "8"),
        ({"tile": "33"}, 422, "invalid-parameter", "33"),
        ({"denoise": "0.5", "model": "pixelmend-x2"}, 422, "invalid-parameter", "denoise"),
        ({"detail": "0.5", "model": "pixelmend-x4-clean"}, 422, "invalid-parameter", "detail"),
        ({"detail": "1.5"}, 422, "invalid-parameter", "detail"),
        ({"first_frame": "perhaps"}, 422, "invalid-parameter", "perhaps"),
        ({"colour": "red"}, 422, "invalid-parameter", "colour"),
        ({"scale": "2" * 5000}, 422, "invalid-parameter", "4096"),
    ],
)
def test_unusable_parameter(
    service: ServiceClient, fields: dict[str, str], status: int, code: str, words: str
) -> None:
    response = service.client.post("/api/upscale", files={"file": GOOD}, data=fields)
    check_problem(response, status, code, words)


def test_body_over_the_limit_is_refused_by_its_announced_length(service: ServiceClient) -> None:
    response = service.client.post("/api/upscale", files={"file": b"x" * 2_100_000})
    check_problem(response, 413, "payload-too-large", "2000000")


def test_body_that_no_disk_could_hold_is_too_large_and_not_a_full_disk(service: ServiceClient) -> None:
    host, port = service.base_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as client:
        # httpx does not announce what it does not send.
        client.sendall(
            b"POST /api/upscale HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n" % 10**18
        )
        assert client.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_header_without_end_is_refused(service: ServiceClient) -> None:
    host, port = service.base_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as client:
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Long: ")
        with contextlib.suppress(ConnectionError):
            for _ in range(320):  # 20 MB
                client.sendall(b"a" * 65_536)
            pytest.fail("the service goes on reading")


def test_body_over_the_limit_is_refused_while_it_arrives(service: ServiceClient) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(60):
            yield b"x" * 50_000

    response = service.client.post(
        "/api/upscale", content=chunks(), headers={"Content-Type": "multipart/form-data; boundary=b"}
    )
    check_problem(response, 413, "payload-too-large", "2000000")


def test_missing_file(service: ServiceClient) -> None:
    response = service.client.post("/api/upscale", files={"picture": b"x"})
    check_problem(response, 422, "invalid-parameter", "picture")
    response = service.client.post("/api/upscale", files={"scale": (None, "2")})
    check_problem(response, 422, "invalid-parameter", "file")


def test_file_sent_twice(service: ServiceClient) -> None:
    response = service.client.post("/api/upscale", files=[("file", GOOD), ("file", GOOD)])
    check_problem(response, 422, "invalid-parameter", "more than once")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=b", b"nonsense"),
        ("multipart/form-data; boundary=" + "b" * 300, b"nonsense"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nabc'),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Type: text/plain\r\n\r\nabc\r\n--b--\r\n"),
    ],
)
def test_broken_multipart(service: ServiceClient, content_type: str, body: bytes) -> None:
    response = service.client.post("/api/upscale", content=body, headers={"Content-Type": content_type})
    assert response.status_code == 400, response.text
    check_problem(response, 400, "malformed-upload", "")


def test_compressed_body_is_refused_as_that(service: ServiceClient) -> None:
    request = service.client.build_request("POST", "/api/upscale", files={"file": GOOD})
    headers = {"Content-Type": request.headers["content-type"]}
    plain = request.read()
    packed = gzip.compress(plain)
    coded = headers | {"Content-Encoding": "gzip"}
    shapes = [("/api/upscale", 415, "type"), ("/api/jobs", 415, "type"), ("/v1/images/edits", 400, "error")]
    for path, status, shape in shapes:
        response = service.client.post(path, content=packed, headers=coded)
        assert (response.status_code, response.headers["accept-encoding"]) == (status, "identity")
        assert shape in response.json()
        assert "Content-Encoding is 'gzip'" in response.text
    # As a stream, whose length is not announced.
    response = service.client.post("/api/upscale", content=iter([packed]), headers=coded)
    check_problem(response, 415, "unsupported-coding", "'gzip'")
    named = headers | {"Content-Encoding": "Identity"}
    assert service.client.post("/api/upscale", content=plain, headers=named).status_code == 200
    assert service.client.get("/api/health", headers={"Content-Encoding": "gzip"}).status_code == 200


def test_accept_header_that_nothing_satisfies(service: ServiceClient) -> None:
    response = service.client.post("/api/upscale", files={"file": GOOD}, headers={"Accept": "text/html"})
    check_problem(response, 406, "not-acceptable", "text/html")


def test_unknown_path_and_wrong_method_are_problems_too(service: ServiceClient) -> None:
    check_problem(service.client.get("/api/nothing"), 404, "not-found", "/api/nothing")
    response = service.client.get("/api/upscale")
    check_problem(response, 405, "method-not-allowed", "GET")
    assert "POST" in response.headers["allow"]


def test_service_is_well_after_all_this(service: ServiceClient) -> None:
    assert service.client.post("/api/upscale", files={"file": GOOD}).status_code == 200
    assert service.client.get("/api/health").json()["worker_restarts"] == 0
    service.wait_until_spool_is_empty()


def check_problem(response: httpx.Response, status: int, code: str, words: str) -> None:
    body = response.json()
    assert (response.status_code, body["type"]) == (status, f"urn:pixelmend:problem:{code}"), body
    assert response.headers["content-type"] == "application/problem+json"
    assert body["status"] == status
    assert words in body["detail"]
    assert body["request_id"] == response.headers["x-request-id"]
    assert isinstance(body["retryable"], bool)
    assert ("retry-after" in response.headers) == (status == 503)
