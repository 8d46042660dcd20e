"""API keys and quotas."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.requests import Request

from pixelmend.api.auth import Callers
from pixelmend.api.guard import REMEMBERED, WINDOW_S, WRONG_KEYS, KeyGuard, network_of
from pixelmend.core.config import Settings
from pixelmend.core.errors import InvalidParameter, KeyRefused, QuotaExceeded
from tests.inprocess import service_in_threads
from tests.pictures import encoded, photo
from tests.service import ServiceClient, running_service

ALICE = {"Authorization": "Bearer alice's key"}
BOB = {"X-API-Key": "bob's key"}


def picture(left: int) -> bytes:
    return encoded(photo("coffee", side_px=32, left=left, top=100))


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceClient]:
    keys = f"alice's key,sha256:{hashlib.sha256(b'bob' + bytes([39]) + b's key').hexdigest()}"
    with service_in_threads(tmp_path_factory.mktemp("keyed"), api_keys=keys) as running:
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
    keyed: ServiceClient, headers: dict[str, str], status: int, code: str
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


def test_jobs_of_another_key_do_not_exist(keyed: ServiceClient) -> None:
    job = keyed.post_job(picture(1), ALICE).json()
    url = f"/api/jobs/{job['id']}"
    for method, path in (("GET", ""), ("GET", "/events"), ("GET", "/result"), ("DELETE", "")):
        response = keyed.client.request(method, url + path, headers=BOB)
        assert (response.status_code, response.json()["type"]) == (404, "urn:pixelmend:problem:unknown-job")
    assert keyed.client.get(url, headers=ALICE).status_code == 200
    assert keyed.post_job(picture(1), BOB).json()["id"] != job["id"]
    assert [j["id"] for j in keyed.client.get("/api/jobs", headers=ALICE).json()["jobs"]] == [job["id"]]


@pytest.mark.full
def test_keys_are_written_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("pixelmend_admin_keys", "in small letters")
    with running_service(tmp_path, api_keys="alice's key") as keyed:
        keyed.post_job(picture(2), ALICE)
        assert not [name for name in keyed.worker().environ() if "KEYS" in name.upper()]
        assert "alice's key" not in keyed.log
        for path in (keyed.folder / "data").glob("jobs.db*"):
            assert b"alice's key" not in path.read_bytes()


@pytest.mark.parametrize("quota", ["quota_per_key", "quota_per_address"])
def test_quota_counts_new_work_only(tmp_path_factory: pytest.TempPathFactory, quota: str) -> None:
    settings: dict[str, Any] = {"api_keys": "alice's key,bob's key", quota: "100/day;2/hour"}
    with service_in_threads(tmp_path_factory.mktemp(quota), **settings) as service:
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


# --- addresses and guesses ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9%eth0", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("unknown", "unknown"),
    ],
)
def test_of_ipv6_a_caller_has_a_whole_64(address: str, network: str) -> None:
    assert network_of(address) == network


def request_from(address: str, key: str | None = None) -> Request:
    headers = [] if key is None else [(b"x-api-key", key.encode())]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": headers, "client": (address, 1)})


def test_quotas_count_networks() -> None:
    callers = Callers(Settings(_env_file=None, quota_per_address="2/hour"))
    for last in ("1", "ffff:2"):
        callers.charge(callers.identify(request_from(f"2001:db8:1:2::{last}")))
    with pytest.raises(QuotaExceeded):
        callers.charge(callers.identify(request_from("2001:db8:1:2::3")))
    callers.charge(callers.identify(request_from("2001:db8:1:3::3")))


def test_guessing_is_slowed_down_and_keeps_nobody_out_who_was_in() -> None:
    callers = Callers(Settings(_env_file=None, api_keys=SecretStr("right,other")))
    callers.identify(request_from("192.0.2.7", "right"))
    for number in range(WRONG_KEYS):
        with pytest.raises(KeyRefused):
            callers.identify(request_from("192.0.2.7", f"guess {number}"))
    for key in ("guess", "other"):  # a right one that was never seen there tells a guesser nothing
        with pytest.raises(QuotaExceeded, match="wrong keys") as refused:
            callers.identify(request_from("192.0.2.7", key))
        assert refused.value.retry_after_s is not None
        assert 0 < refused.value.retry_after_s <= 60
    callers.identify(request_from("192.0.2.7", "right"))
    callers.identify(request_from("192.0.2.8", "other"))


def test_guesses_are_forgotten_in_time_and_few_are_remembered() -> None:
    now_s = 0.0
    guard = KeyGuard(lambda: now_s)
    for _ in range(WRONG_KEYS):
        guard.note_wrong("192.0.2.7")
        now_s += 1
    assert guard.wait_s("192.0.2.7", b"") == pytest.approx(WINDOW_S - WRONG_KEYS)
    now_s = WINDOW_S
    assert guard.wait_s("192.0.2.7", b"") == 0
    guard.note_wrong("192.0.2.7")
    assert guard.wait_s("192.0.2.7", b"") > 0
    for number in range(REMEMBERED):
        guard.note_wrong(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert guard.wait_s("192.0.2.7", b"") == 0


# --- what else is private -----------------------------------------------------------------------------------


@pytest.mark.full
def test_one_setting_puts_everything_behind_the_key(tmp_path: Path) -> None:
    settings = {"api_keys": "secret", "key_for_everything": True}
    with running_service(tmp_path, wait_for_port_only=True, **settings) as service:
        key = {"X-API-Key": "secret"}
        service.client.headers.update(key)
        service.wait_until_ready()
        del service.client.headers["X-API-Key"]
        closed = (
            "/metrics",
            "/docs",
            "/openapi.json",
            "/api/models",
            "/api/info",
            "/api/health",
            "/api/jobs",
        )
        for path in closed:
            assert service.client.get(path).status_code == 401, path
            assert service.client.get(path, headers=key).status_code == 200, path
        for path in ("/livez", "/readyz", "/"):
            assert service.client.get(path).status_code == 200, path
        # Nothing that is kept is for others.
        job = service.post_job(picture(0), key).json()
        service.client.get(f"/api/jobs/{job['id']}/events", headers=key)
        service.wait_until_spool_is_empty()  # what is removed meanwhile cannot be looked at
        data = tmp_path / "data"
        assert data.stat().st_mode & 0o777 == 0o700
        kept = [path for path in data.rglob("*") if path.is_file()]
        assert len(kept) > 2
        assert {path.name for path in kept if path.stat().st_mode & 0o077} <= {"spool.lock"}


def test_everything_behind_a_key_needs_keys() -> None:
    with pytest.raises(InvalidParameter, match="key_for_everything needs api_keys"):
        Callers(Settings(_env_file=None, key_for_everything=True))


def test_forwarded_addresses_are_believed_from_named_proxies_only(tmp_path: Path) -> None:
    codes: dict[str, list[int]] = {}
    for proxies in ("", "10.0.0.0/8", "127.0.0.1"):
        folder = tmp_path / f"for {len(codes)}"
        folder.mkdir()
        settings = {"quota_per_address": "1/hour", "trusted_proxies": proxies}
        with service_in_threads(folder, wait_for_port_only=True, **settings) as service:
            codes[proxies] = [
                service.client.post(
                    "/api/upscale", files={"file": picture(n)}, headers={"X-Forwarded-For": f"192.0.2.{n}"}
                ).status_code
                for n in range(2)
            ]
    assert codes == {"": [200, 429], "10.0.0.0/8": [200, 429], "127.0.0.1": [200, 200]}


def test_texts_for_callers_name_no_folder_of_the_service(service: ServiceClient) -> None:
    refused = service.client.post(
        "/api/upscale", files={"file": picture(0)}, data={"model": "RealESRGAN_x4plus"}
    )
    assert refused.status_code == 503
    assert "PIXELMEND_MODELS_DIR/" in refused.json()["detail"]
    assert str(service.folder) not in refused.text
    job = service.post_job(b"no image")
    assert str(service.folder) not in job.text
