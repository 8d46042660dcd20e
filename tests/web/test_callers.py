"""API keys and quotas."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from pixelmend.config import Settings
from pixelmend.errors import InvalidParameter
from pixelmend.web.callers import Callers
from tests.pictures import encoded, photo
from tests.service import RunningService, running_service

ALICE = {"Authorization": "Bearer alice's key"}
BOB = {"X-API-Key": "bob's key"}


def picture(left: int) -> bytes:
    return encoded(photo("coffee", side_px=32, left=left, top=100))


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    keys = f"alice's key,sha256:{hashlib.sha256(b'bob' + bytes([39]) + b's key').hexdigest()}"
    with running_service(tmp_path_factory.mktemp("keyed"), api_keys=keys) as running:
        yield running


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "key-missing"),
        ({"Authorization": "Basic abc"}, 401, "key-missing"),
        ({"Authorization": "Bearer guess"}, 403, "key-refused"),
        ({"X-API-Key": "bob's kez"}, 403, "key-refused"),
    ],
)
def test_without_a_known_key_nothing_is_done(
    keyed: RunningService, headers: dict[str, str], status: int, code: str
) -> None:
    for response in (
        keyed.post_job(picture(0), headers),
        keyed.client.post("/api/upscale", files={"file": picture(0)}, headers=headers),
        keyed.client.get("/api/jobs", headers=headers),
        keyed.client.get(f"/api/jobs/{'0' * 32}", headers=headers),
        keyed.client.delete(f"/api/jobs/{'0' * 32}", headers=headers),
    ):
        assert (response.status_code, response.json()["type"]) == (status, f"urn:pixelmend:problem:{code}")
    unauthorised = keyed.post_job(picture(0), headers)
    assert ("www-authenticate" in unauthorised.headers) is (status == 401)
    assert keyed.client.get("/api/health").status_code == 200


def test_jobs_of_another_key_do_not_exist(keyed: RunningService) -> None:
    job = keyed.post_job(picture(1), ALICE).json()
    url = f"/api/jobs/{job['id']}"
    for method, path in (("GET", ""), ("GET", "/events"), ("GET", "/result"), ("DELETE", "")):
        response = keyed.client.request(method, url + path, headers=BOB)
        assert (response.status_code, response.json()["type"]) == (404, "urn:pixelmend:problem:unknown-job")
    assert keyed.client.get(url, headers=ALICE).status_code == 200
    assert keyed.post_job(picture(1), BOB).json()["id"] != job["id"]
    assert [j["id"] for j in keyed.client.get("/api/jobs", headers=ALICE).json()["jobs"]] == [job["id"]]


def test_keys_are_written_nowhere(keyed: RunningService) -> None:
    keyed.post_job(picture(2), ALICE)
    environment = keyed.worker().environ()
    assert "PIXELMEND_API_KEYS" not in environment
    assert "alice's key" not in keyed.log
    for path in (keyed.folder / "data").glob("jobs.db*"):
        assert b"alice's key" not in path.read_bytes()


@pytest.mark.parametrize("quota", ["quota_per_key", "quota_per_address"])
def test_quota_counts_new_work_only(tmp_path_factory: pytest.TempPathFactory, quota: str) -> None:
    settings: dict[str, Any] = {"api_keys": "alice's key,bob's key", quota: "100/day;2/hour"}
    with running_service(tmp_path_factory.mktemp(quota), **settings) as service:
        assert service.post_job(picture(0), ALICE).status_code == 202
        assert service.post_job(b"no image", ALICE).status_code == 415
        assert service.post_job(picture(0), ALICE).status_code == 202  # the same job
        waited = service.client.post("/api/upscale", files={"file": picture(1)}, headers=ALICE)
        assert waited.status_code == 200
        refused = service.post_job(picture(2), ALICE)
        assert (refused.status_code, refused.json()["type"]) == (429, "urn:pixelmend:problem:quota-exceeded")
        assert refused.json()["retryable"] is True
        assert "2 per 1 hour" in refused.json()["detail"]
        assert 1 <= int(refused.headers["retry-after"]) <= 3600
        other = service.post_job(picture(3), BOB)
        assert other.status_code == (202 if quota == "quota_per_key" else 429)
        service.wait_until_spool_is_empty()


@pytest.mark.parametrize(
    "settings", [{"quota_per_key": "many"}, {"quota_per_address": "1/eon"}, {"api_keys": "sha256:abc"}]
)
def test_unreadable_setting_is_named(settings: dict[str, str]) -> None:
    with pytest.raises(InvalidParameter, match=next(iter(settings))):
        Callers(Settings(_env_file=None, **settings))  # type: ignore[arg-type]
