"""`image_url` and `result_url` in buckets: a small S3 server, the service's credentials, listed buckets."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import obstore
import pytest
from obstore.store import S3Store

from pixelmend.core import buckets as core_buckets
from pixelmend.jobs import deliveries
from pixelmend.worker.spawning import environment
from tests.bucket_server import Buckets, bucket_server
from tests.inprocess import ThreadService, service_in_threads
from tests.pictures import decoded, encoded, photo
from tests.receiver import HOST, putting

WAIT_S = 60.0
IMAGE = encoded(photo(side_px=40))


@pytest.fixture(scope="module")
def buckets() -> Iterator[Buckets]:
    with bucket_server() as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        yield running


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, buckets: Buckets) -> Iterator[ThreadService]:
    with service_in_threads(
        tmp_path_factory.mktemp("buckets"),
        max_upload_bytes=2_000_000,
        fetch_hosts="pictures.example, s3://pictures/",
        result_hosts="s3://results",
    ) as running:
        yield running


def upscale(service: ThreadService, url: str, **fields: str) -> httpx.Response:
    parts = {name: (None, value) for name, value in {"image_url": url, "scale": "2", **fields}.items()}
    return service.client.post("/api/upscale", files=parts)


def delivered(service: ThreadService, url: str, data: bytes, state: str = "delivered") -> dict[str, Any]:
    job = service.post_job(data, scale=2, result_url=url).json()
    deadline_s = time.monotonic() + WAIT_S
    while service.job(job["id"])["delivery"]["state"] != state:
        assert time.monotonic() < deadline_s, service.log_excerpt
        time.sleep(0.05)
    return service.job(job["id"])


def test_image_is_read_from_a_bucket_and_named_after_its_key(
    service: ThreadService, buckets: Buckets
) -> None:
    buckets.objects["pictures/a folder/photo ü.png"] = "image/png", IMAGE
    answer = upscale(service, "s3://pictures/a folder/photo ü.png")
    assert answer.status_code == 200, answer.text
    assert decoded(answer.content).shape == (80, 80, 3)
    assert "photo%20%C3%BC-x2.png" in answer.headers["Content-Disposition"]


def test_result_is_written_into_a_bucket(service: ThreadService, buckets: Buckets) -> None:
    job = delivered(service, "s3://results/2026/a b.png", IMAGE)
    media_type, data = buckets.objects["results/2026/a b.png"]
    assert (media_type, data) == ("image/png", service.client.get(job["result"]["url"]).content)


def test_result_is_put_to_a_presigned_address(tmp_path: Path, buckets: Buckets) -> None:
    """Made by another program than ours, and judged by the rules of its signature."""
    store = S3Store(
        "results",
        endpoint=f"http://{HOST}:{buckets.server.port}",
        client_options={"allow_http": True},
    )
    url = obstore.sign(store, "PUT", "presigned/a b+c ü.png", timedelta(hours=1))
    with service_in_threads(tmp_path, None, None, None, None, putting()) as own:
        job = delivered(own, url, IMAGE)
        media_type, data = buckets.objects["results/presigned/a b+c ü.png"]
        assert (media_type, data) == ("image/png", own.client.get(job["result"]["url"]).content)
        spoilt = delivered(own, url.replace("X-Amz-Expires=3600", "X-Amz-Expires=3601"), IMAGE, "pending")
        while not (spoilt := own.job(spoilt["id"]))["delivery"]["last_error"]:
            time.sleep(0.05)
        assert spoilt["delivery"]["last_error"] == "the receiver answers 403"
        assert "X-Amz" not in own.log + str(spoilt)


def test_large_result_is_written_in_parts(service: ThreadService, buckets: Buckets) -> None:
    before = len(buckets.server.asked)
    noise = np.random.default_rng(1).integers(0, 256, (700, 700, 3), np.uint8)
    job = delivered(service, "s3://results/large.png", encoded(noise, "JPEG", quality=60))
    assert job["result"]["size_bytes"] > 5 << 20
    assert buckets.objects["results/large.png"][1] == service.client.get(job["result"]["url"]).content
    assert sum("partNumber" in asked.path for asked in buckets.server.asked[before:]) > 1


def test_store_that_fails_is_asked_again(
    service: ThreadService, buckets: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "FIRST_PAUSE_S", 0.01)
    buckets.failures = 4  # more than the store's own client tries for one of our attempts
    job = delivered(service, "s3://results/again.png", encoded(photo(side_px=41)))
    assert job["delivery"]["attempts"] == 2
    assert "results/again.png" in buckets.objects


def test_store_that_does_not_answer_holds_no_request(
    tmp_path: Path, buckets: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with service_in_threads(tmp_path, fetch_hosts="s3://pictures", upload_timeout_s=0.5) as own:
            answer = upscale(own, "s3://pictures/photo.png")
    assert (answer.status_code, "within 0.5 s" in answer.json()["detail"]) == (502, True), answer.text


@pytest.mark.parametrize(
    ("url", "status", "words"),
    [
        ("s3://other/photo.png", 422, "the bucket 'other' is not one of PIXELMEND_FETCH_HOSTS"),
        ("s3://results/a.png", 422, "not one of PIXELMEND_FETCH_HOSTS"),
        ("s3://pictures.example/a.png", 422, "not one of"),
        ("s3://pictures", 422, "s3://bucket/key"),
        ("s3:///photo.png", 422, "s3://bucket/key"),
        ("s3://pictures/" + "x" * 1025, 422, "1024 bytes"),
        ("S3://pictures/a.png", 422, "http or https"),
        ("s3://pictures/missing.png", 422, "NotFoundError"),
        ("s3://pictures/large", 413, "max_upload_bytes=2000000"),
        ("s3://pictures/empty", 422, "0 bytes"),
        ("s3://pictures/text", 415, ""),
    ],
)
def test_what_is_no_image_of_a_listed_bucket_is_said(
    service: ThreadService, buckets: Buckets, url: str, status: int, words: str
) -> None:
    buckets.objects["pictures/large"] = "", bytes(2_000_001)
    buckets.objects["pictures/empty"] = "", b""
    buckets.objects["pictures/text"] = "", b"no image"
    answer = upscale(service, url)
    assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text
    service.wait_until_spool_is_empty()


def test_a_store_that_fails_or_refuses_is_said_without_its_address(
    service: ThreadService, buckets: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    buckets.failures = 3
    broken = upscale(service, "s3://pictures/photo.png")
    assert (broken.status_code, broken.json()["type"]) == (502, "urn:pixelmend:problem:fetch-failed")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    refused = upscale(service, "s3://pictures/photo.png")
    assert (refused.status_code, "PermissionDenied" in refused.json()["detail"]) == (422, True), refused.text
    for text in (broken.text, refused.text, service.log):
        assert f":{buckets.server.port}" not in text  # bare digits may be part of a time of the log
        assert "a secret for tests" not in text


def test_missing_extra_is_named_before_the_work(
    service: ThreadService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core_buckets, "find_spec", lambda _: None)
    for answer in (
        upscale(service, "s3://pictures/a.png"),
        service.post_job(IMAGE, scale=2, result_url="s3://results/a.png"),
    ):
        assert (answer.status_code, "pip install 'pixelmend[s3]'" in answer.json()["detail"]) == (501, True)


def test_it_is_not_imported_without_need() -> None:
    code = "import sys, pixelmend.api.server; print([m for m in sys.modules if m.startswith('obstore')])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_no_worker_gets_the_credentials() -> None:
    secrets = dict.fromkeys(("AWS_SECRET_ACCESS_KEY", "aws_session_token", "OTEL_EXPORTER_OTLP_HEADERS"), "x")
    assert environment({**secrets, "OTHER": "y"}) == environment({"OTHER": "y"})
