"""What holds in every dialect: bounds, keys, quotas, one job for the same work, errors in its own shape."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from pixelmend.api.dialects.json_upload import base64_bytes
from tests.api.dialects.sent import IMAGE, TRANSPARENT_MASK, WHITE_MASK, text
from tests.inprocess import service_in_threads
from tests.pictures import encoded
from tests.service import ServiceClient

PICTURE = encoded(IMAGE)
SENT: dict[str, dict[str, Any]] = {
    "/sdapi/v1/extra-single-image": {"json": {"image": text(PICTURE)}},
    "/sdapi/v1/extra-batch-images": {"json": {"imageList": [{"name": "a", "data": text(PICTURE)}]}},
    "/api/v1/inpaint": {"json": {"image": text(PICTURE), "mask": text(WHITE_MASK)}},
    "/api/v1/run_plugin_gen_image": {"json": {"name": "RealESRGAN", "image": text(PICTURE)}},
    "/v1/images/upscale": {"files": {"image": PICTURE}},
    "/v1/images/edits": {"files": {"image": PICTURE, "mask": TRANSPARENT_MASK}},
}
JSON_PATHS = [path for path, sent in SENT.items() if "json" in sent]
CHANGING = [*SENT, "/sdapi/v1/options", "/api/v1/model", "/api/v1/gen-info"]
MOST_BYTES = 200_000
NEVER_S = 60.0


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceClient]:
    folder = tmp_path_factory.mktemp("small")
    with service_in_threads(folder, max_upload_bytes=MOST_BYTES, max_batch_bytes=MOST_BYTES) as running:
        yield running


def said(answer: httpx.Response) -> str:
    """The message, which has to be where the dialect's clients look."""
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["content-length"]) == len(answer.content)
    body = answer.json()
    message = body["error"]["message"] if answer.url.path.startswith("/v1/") else body["detail"]
    if not answer.url.path.startswith("/v1/"):
        assert set(body) == {"error", "detail", "body", "errors"}
    assert isinstance(message, str)
    return message


@pytest.mark.parametrize("path", SENT)
def test_an_answer_comes_and_nothing_else_is_left(service: ServiceClient, path: str) -> None:
    answer = service.client.post(path, **SENT[path])
    assert answer.status_code == 200, answer.text
    assert len(answer.headers["x-pixelmend-job"]) == 32
    service.wait_until_spool_is_empty()


# --- bodies -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", JSON_PATHS)
@pytest.mark.parametrize("wrong", ["QUJ", "QUJD*UJD", "not base64", "data:image/png,QUJD", "\N{BULLET}"])
def test_wrong_base64_is_refused_by_the_name_of_its_field(
    service: ServiceClient, path: str, wrong: str
) -> None:
    body = json.dumps(SENT[path]["json"]).replace(text(PICTURE), wrong)
    answer = service.client.post(path, content=body)
    assert answer.status_code == 422
    assert "base64" in said(answer)
    service.wait_until_spool_is_empty()


@pytest.mark.parametrize("path", JSON_PATHS)
@pytest.mark.parametrize("kept", [0, 5, 40, -1])
def test_truncated_json_is_a_400(service: ServiceClient, path: str, kept: int) -> None:
    body = json.dumps(SENT[path]["json"])[:kept]
    answer = service.client.post(path, content=body)
    assert answer.status_code in (400, 422)  # the latter if it ends within a group of base64
    assert said(answer)
    service.wait_until_spool_is_empty()


@pytest.mark.parametrize("path", JSON_PATHS)
@pytest.mark.parametrize("announced", [True, False])
def test_too_large_a_body_is_refused_while_it_arrives(
    small: ServiceClient, path: str, announced: bool
) -> None:
    """The sender never ends, and hears of the limit."""
    length = "Content-Length: 1000000000" if announced else "Transfer-Encoding: chunked"
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n".encode()
    name = b"data" if path.endswith("batch-images") else b"image"
    piece = b'{"' + name + b'": "' if announced else b"%x\r\n" % (len(name) + 6) + b'{"' + name + b'": "\r\n'
    more = b"QUJD" * 1024
    more = more if announced else b"1000\r\n" + more + b"\r\n"
    url = httpx.URL(small.base_url)
    with closing(socket.create_connection((url.host, url.port or 80), timeout=NEVER_S)) as connection:
        connection.sendall(head + piece)
        sent, answer, deadline_s = 0, b"", time.monotonic() + NEVER_S
        connection.setblocking(False)
        while not answer and time.monotonic() < deadline_s:
            try:
                answer = connection.recv(65_536)
            except BlockingIOError:
                if sent < 4 * base64_bytes(MOST_BYTES):
                    sent += connection.send(more)
                time.sleep(0.001)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert f"_bytes={MOST_BYTES}".encode() in answer
    small.wait_until_spool_is_empty()


@pytest.mark.parametrize("path", ["/v1/images/upscale", "/v1/images/edits"])
def test_too_large_a_form_is_a_413(small: ServiceClient, path: str) -> None:
    answer = small.client.post(path, files={"image": bytes(MOST_BYTES)})
    assert (answer.status_code, f"max_upload_bytes={MOST_BYTES}" in said(answer)) == (413, True)
    assert answer.json()["error"]["code"] == "payload_too_large"


def test_a_file_of_the_limit_itself_fits_in_base64(small: ServiceClient) -> None:
    padded = PICTURE + bytes(MOST_BYTES - len(PICTURE))
    body = {"image": text(padded)}
    assert small.client.post("/sdapi/v1/extra-single-image", json=body).status_code == 200
    larger = {"image": text(padded + b"1")}
    assert small.client.post("/sdapi/v1/extra-single-image", json=larger).status_code == 413


@pytest.mark.parametrize("path", ["/sdapi/v1/options", "/api/v1/model"])
def test_bodies_without_images_are_small(service: ServiceClient, path: str) -> None:
    assert service.client.post(path, content=b" " * 20_000).status_code == 413
    assert service.client.post(path, content=b"{").status_code == 400


# --- callers ----------------------------------------------------------------------------------------------


def test_keys_are_asked_for_everywhere(tmp_path: Path) -> None:
    with service_in_threads(tmp_path, api_keys="secret") as keyed:
        for path in (*CHANGING, "/v1/models"):
            for headers, ours in (({}, 401), ({"Authorization": "Bearer guess"}, 403)):
                method = "GET" if path == "/v1/models" else "POST"
                answer = keyed.client.request(method, path, headers=headers, **SENT.get(path, {}))
                assert answer.status_code == (401 if path.startswith("/v1/") else ours), path
                assert "key" in said(answer)
        for path, sent in SENT.items():
            assert keyed.client.post(path, headers={"X-API-Key": "secret"}, **sent).status_code == 200
        keyed.wait_until_spool_is_empty()


def test_one_setting_puts_them_behind_the_key(tmp_path: Path) -> None:
    settings = {"api_keys": "secret", "key_for_everything": True}
    with service_in_threads(tmp_path, wait_for_port_only=True, **settings) as keyed:
        for path in ("/v1/models", "/sdapi/v1/upscalers", "/sdapi/v1/options", "/api/v1/server-config"):
            refused = keyed.client.get(path)
            assert (refused.status_code, bool(said(refused))) == (401, True)
            assert keyed.client.get(path, headers={"X-API-Key": "secret"}).status_code == 200


def test_quotas_count_all_dialects_together(tmp_path: Path) -> None:
    with service_in_threads(tmp_path, quota_per_address="2/hour") as service:
        for path in ("/v1/images/edits", "/sdapi/v1/extra-batch-images"):
            assert service.client.post(path, **SENT[path]).status_code == 200
        for path, sent in SENT.items():
            refused = service.client.post(path, **sent)
            assert (refused.status_code, "quota_per_address" in said(refused)) == (429, True)
            assert int(refused.headers["retry-after"]) > 0


@pytest.mark.parametrize("path", CHANGING)
def test_pages_of_other_sites_may_not_ask(service: ServiceClient, path: str) -> None:
    answer = service.client.post(path, headers={"Origin": "https://elsewhere.example"}, **SENT.get(path, {}))
    assert answer.status_code == 403
    assert "PIXELMEND_CORS_ORIGINS" in said(answer)


def test_pages_that_may_ask_can_read_the_headers(tmp_path: Path) -> None:
    with service_in_threads(tmp_path, cors_origins="https://page.example") as service:
        headers = {"Origin": "https://page.example"}
        answer = service.client.post("/api/v1/inpaint", headers=headers, **SENT["/api/v1/inpaint"])
        assert answer.headers["access-control-allow-origin"] == "https://page.example"
        assert {"X-Seed", "X-Pixelmend-Unused"} <= set(
            answer.headers["access-control-expose-headers"].split(", ")
        )


# --- one service ------------------------------------------------------------------------------------------


def test_the_same_work_is_one_job_in_every_dialect(service: ServiceClient) -> None:
    fields = {"scale": "2", "format": "png"}
    ours = service.client.post("/api/upscale", files={"file": PICTURE}, data=fields)
    asked = {"image": text(PICTURE), "upscaling_resize": 2}
    jobs = {
        ours.headers["x-pixelmend-job"],
        service.client.post("/sdapi/v1/extra-single-image", json=asked).headers["x-pixelmend-job"],
        service.client.post("/v1/images/upscale", files={"image": PICTURE}).headers["x-pixelmend-job"],
        service.client.post("/api/v1/run_plugin_gen_image", **SENT["/api/v1/run_plugin_gen_image"]).headers[
            "x-pixelmend-job"
        ],
    }
    assert len(jobs) == 1


def test_idempotency_keys_are_ours(service: ServiceClient) -> None:
    path, headers = "/sdapi/v1/extra-single-image", {"Idempotency-Key": "once"}
    first = service.client.post(path, headers=headers, **SENT[path])
    assert service.client.post(path, headers=headers, **SENT[path]).content == first.content
    other = {"image": text(PICTURE), "upscaling_resize": 3}
    answer = service.client.post(path, headers=headers, json=other)
    assert (answer.status_code, answer.json()["error"]) == (422, "idempotency-mismatch")


@pytest.mark.parametrize(
    "path", ["/v1/nothing", "/v1/chat/completions", "/sdapi/v1/txt2img", "/api/v1/adjust_mask"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_not_there_is_said_in_the_dialect(service: ServiceClient, method: str, path: str) -> None:
    answer = service.client.request(method, path)
    assert answer.status_code == 404
    assert said(answer) == f"{method} {path}: Not Found"


def test_wrong_methods_and_queries_are_said_in_the_dialect(service: ServiceClient) -> None:
    assert said(service.client.get("/v1/images/edits")).endswith("Method Not Allowed")
    assert "'when'" in said(service.client.get("/sdapi/v1/upscalers?when=now"))


def test_documents_describe_them_under_a_tag_of_their_own(service: ServiceClient) -> None:
    paths = service.client.get("/openapi.json").json()["paths"]
    for path in (
        *CHANGING,
        "/v1/models",
        "/v1/models/{model_id}",
        "/sdapi/v1/upscalers",
        "/api/v1/server-config",
    ):
        for operation in paths[path].values():
            assert operation["tags"] == ["compatible"]
    for path in SENT:
        (body,) = paths[path]["post"]["requestBody"]["content"].values()
        assert body["schema"]["properties"]
        assert "$ref" not in str(body)
