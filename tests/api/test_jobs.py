"""`/api/jobs` against the real service."""

import hashlib
from typing import Any

import httpx
import numpy as np
import pytest

from tests.pictures import decoded, encoded, photo
from tests.service import ServiceClient


def post(
    service: ServiceClient, data: bytes, headers: dict[str, str] | None = None, **fields: Any
) -> httpx.Response:
    return service.post_job(data, headers, **fields)


def ended(service: ServiceClient, job_id: str) -> dict[str, Any]:
    return service.ended_job(job_id)


def done(service: ServiceClient, data: bytes, **fields: Any) -> dict[str, Any]:
    response = post(service, data, **fields)
    assert response.status_code == 202, response.text
    job = ended(service, response.json()["id"])
    assert job["state"] == "done", job
    return job


def picture(left: int, side_px: int = 40) -> bytes:
    """Another one for each `left`, so that tests do not find each other's results."""
    return encoded(photo("coffee", side_px=side_px, left=left, top=20))


def test_job_is_accepted_shown_and_its_result_is_what_a_request_that_waits_gets(
    service: ServiceClient,
) -> None:
    data = picture(0)
    response = post(service, data)
    assert response.status_code == 202
    job = response.json()
    assert response.headers["location"] == f"/api/jobs/{job['id']}"
    assert (job["task"], job["model"], job["file_name"]) == ("upscale", "pixelmend-x4", "photo.jpg")
    assert job["state"] in {"queued", "running"}
    assert job["result"] is None
    assert len(job["id"]) >= 32
    job = ended(service, job["id"])
    assert job["state"] == "done"
    assert job["progress"]["fraction"] == 1
    assert (job["result"]["width"], job["result"]["height"]) == (160, 160)
    result = service.client.get(job["result"]["url"])
    assert hashlib.sha256(result.content).hexdigest() == job["result"]["sha256"]
    assert result.headers["x-pixelmend-model"] == "pixelmend-x4"
    assert "photo-x4.png" in result.headers["content-disposition"]
    fresh = service.client.post("/api/upscale", files={"file": data}, headers={"Cache-Control": "no-cache"})
    assert fresh.headers["x-pixelmend-job"] != job["id"]
    assert np.array_equal(decoded(fresh.content), decoded(result.content))
    assert job["id"] in [listed["id"] for listed in service.client.get("/api/jobs").json()["jobs"]]


def test_result_has_ranges_and_an_etag_of_its_content(service: ServiceClient) -> None:
    job = done(service, picture(1))
    url = job["result"]["url"]
    whole = service.client.get(url)
    etag = whole.headers["etag"]
    assert etag == f'"{job["result"]["sha256"]}"'
    part = service.client.get(url, headers={"Range": "bytes=10-19", "If-Range": etag})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert service.client.get(url, headers={"If-None-Match": etag}).status_code == 304
    beyond = service.client.get(url, headers={"Range": f"bytes={len(whole.content) + 1}-"})
    assert beyond.status_code == 416
    head = service.client.head(url)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))


def test_same_bytes_with_the_same_options_are_the_same_job(service: ServiceClient) -> None:
    data = picture(2)
    first = done(service, data)
    again = post(service, data).json()
    assert (again["id"], again["state"]) == (first["id"], "done")
    other_options = done(service, data, scale=2)
    assert other_options["id"] != first["id"]
    waited_for = service.client.post("/api/upscale", files={"file": data})
    assert waited_for.headers["x-pixelmend-job"] == first["id"]
    assert hashlib.sha256(waited_for.content).hexdigest() == first["result"]["sha256"]


def test_idempotency_key_names_one_job(service: ServiceClient) -> None:
    headers = {"Idempotency-Key": "order 17"}
    first = post(service, picture(3), headers=headers).json()
    ended(service, first["id"])
    assert post(service, picture(3), headers=headers).json()["id"] == first["id"]
    refused = post(service, picture(4), headers=headers)
    assert refused.status_code == 422
    assert refused.json()["type"] == "urn:pixelmend:problem:idempotency-mismatch"
    assert first["id"] in refused.json()["detail"]
    service.wait_until_spool_is_empty()


def test_failed_job_says_why_and_is_tried_again_when_it_is_sent_again(service: ServiceClient) -> None:
    data = picture(5, side_px=96)
    broken = data[: len(data) // 2]
    first = post(service, broken).json()
    job = ended(service, first["id"])
    assert job["state"] == "failed"
    assert job["problem"]["type"] == "urn:pixelmend:problem:corrupt-image"
    assert job["problem"]["status"] == 422
    result = service.client.get(f"/api/jobs/{job['id']}/result")
    assert (result.status_code, result.json()["type"]) == (409, "urn:pixelmend:problem:job-state")
    again = post(service, broken).json()
    assert again["id"] != first["id"]
    ended(service, again["id"])


def test_cancelled_job_stays_cancelled_and_leaves_nothing(service: ServiceClient) -> None:
    job = post(service, picture(6, side_px=300), scale=8).json()
    cancelled = service.client.delete(f"/api/jobs/{job['id']}")
    assert cancelled.status_code == 200
    assert cancelled.json()["state"] == "cancelled"
    assert service.client.delete(f"/api/jobs/{job['id']}").json()["state"] == "cancelled"
    service.wait_until("the end", running=0, queued=0)
    service.wait_until_spool_is_empty()
    assert service.client.get(f"/api/jobs/{job['id']}").json()["state"] == "cancelled"


def test_given_up_result_is_gone(service: ServiceClient) -> None:
    job = done(service, picture(7))
    assert service.client.delete(f"/api/jobs/{job['id']}").json()["state"] == "expired"
    result = service.client.get(f"/api/jobs/{job['id']}/result")
    assert (result.status_code, result.json()["type"]) == (410, "urn:pixelmend:problem:result-expired")
    assert not list(service.spool.glob(f"{job['id']}*"))
    assert done(service, picture(7))["id"] != job["id"]


@pytest.mark.parametrize("path", ["", "/events", "/result"])
def test_unknown_job_is_404(service: ServiceClient, path: str) -> None:
    response = service.client.get(f"/api/jobs/{'0' * 32}{path}")
    assert (response.status_code, response.json()["type"]) == (404, "urn:pixelmend:problem:unknown-job")


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"task": "inpaint"}, 422, "invalid-parameter"),
        ({"task": "paint"}, 422, "invalid-parameter"),
        ({"task": ""}, 422, "invalid-parameter"),
        ({"scale": "99"}, 422, "invalid-parameter"),
        ({"model": "nix"}, 404, "unknown-model"),
    ],
)
def test_bad_request_is_refused_and_leaves_no_job(
    service: ServiceClient, fields: dict[str, Any], status: int, code: str
) -> None:
    before = len(service.client.get("/api/jobs").json()["jobs"])
    response = post(service, picture(8), **fields)
    assert (response.status_code, response.json()["type"]) == (status, f"urn:pixelmend:problem:{code}")
    assert len(service.client.get("/api/jobs").json()["jobs"]) == before
    service.wait_until_spool_is_empty()


def test_accept_header_of_a_job_is_not_about_the_image(service: ServiceClient) -> None:
    response = post(service, picture(9), headers={"Accept": "application/json"})
    assert response.status_code == 202
    assert ended(service, response.json()["id"])["result"]["media_type"] == "image/png"


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_unusable_idempotency_key_is_refused(service: ServiceClient, key: str) -> None:
    response = post(service, picture(10), headers={"Idempotency-Key": key})
    assert (response.status_code, response.json()["type"]) == (422, "urn:pixelmend:problem:invalid-parameter")
