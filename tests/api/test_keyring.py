"""Named keys: scopes, expiry, a file that changes while the service runs, and the line of each call."""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pixelmend.api.keyring import read_key_file
from pixelmend.core.errors import InvalidParameter
from tests.inprocess import service_in_threads
from tests.pictures import encoded, photo
from tests.service import ServiceClient

HASHED = hashlib.sha256(b"ops-key").hexdigest()
KEYS = f"""
keys:
  - {{name: anna, key: anna-key}}
  - {{name: ops, key: "sha256:{HASHED}", scopes: [manage]}}
  - {{name: both, key: both-key, scopes: [use, manage], expires: 2999-01-01}}
  - {{name: late, key: late-key, expires: 2020-01-01}}
"""


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.yaml"
    path.write_text(KEYS)
    return path


@pytest.fixture
def keyed(tmp_path: Path, file: Path) -> Iterator[ServiceClient]:
    with service_in_threads(tmp_path, keys_file=file) as service:
        yield service


def rewrite(path: Path, text: str) -> None:
    """As editors do: another file in its place."""
    other = path.with_name("new")
    other.write_text(text)
    os.utime(other, ns=(time.time_ns(), time.time_ns() + 1_000_000))
    other.replace(path)


def upscale(service: ServiceClient, key: str | None) -> tuple[int, str]:
    image = encoded(photo(side_px=32))
    headers = {} if key is None else bearer(key)
    response = service.client.post("/api/upscale", files={"file": image}, headers=headers)
    return response.status_code, "" if response.is_success else response.json()["detail"]


def manage(service: ServiceClient, key: str) -> tuple[int, str]:
    response = service.client.post("/api/memory/free", headers=bearer(key))
    return response.status_code, "" if response.is_success else response.json()["detail"]


def test_scopes_and_expiry_count(keyed: ServiceClient) -> None:
    assert upscale(keyed, "anna-key")[0] == upscale(keyed, "both-key")[0] == 200
    assert upscale(keyed, None)[0] == 401
    assert upscale(keyed, "nobody's")[0] == 403
    assert upscale(keyed, "ops-key") == (403, "the key ops has the scopes manage; this needs use")
    assert upscale(keyed, "late-key") == (403, "the key late has expired")
    assert manage(keyed, "ops-key")[0] == manage(keyed, "both-key")[0] == 200
    assert manage(keyed, "anna-key") == (403, "the key anna has the scopes use; this needs manage")


def test_the_file_is_read_again_and_a_name_keeps_its_jobs(keyed: ServiceClient, file: Path) -> None:
    data = encoded(photo(side_px=36))
    job = keyed.client.post(
        "/api/jobs", data={"task": "upscale"}, files={"file": data}, headers=bearer("anna-key")
    ).json()
    rewrite(file, KEYS.replace("anna-key", "second-key"))
    assert upscale(keyed, "anna-key")[0] == 403
    address = f"/api/jobs/{job['id']}"
    assert keyed.client.get(address, headers=bearer("second-key")).status_code == 200
    assert keyed.client.get(address, headers=bearer("both-key")).status_code == 404
    # A file that makes no sense, or that is gone, changes nothing.
    rewrite(file, "keys: [{name: anna}]")
    assert upscale(keyed, "second-key")[0] == 200
    file.unlink()
    assert upscale(keyed, "second-key")[0] == 200
    rewrite(file, KEYS)
    assert (upscale(keyed, "second-key")[0], upscale(keyed, "anna-key")[0]) == (403, 200)


def test_the_log_tells_who_called_about_which_job_and_how_much_came_and_went(keyed: ServiceClient) -> None:
    image = encoded(photo(side_px=33))
    response = keyed.client.post("/api/upscale", files={"file": image}, headers=bearer("anna-key"))
    request_id = response.headers["x-request-id"]
    deadline_s = time.monotonic() + 30
    line: dict[str, Any] = {}
    while not line and time.monotonic() < deadline_s:
        time.sleep(0.02)
        lines = [json.loads(text) for text in keyed.log.splitlines() if request_id in text]
        line = next((each for each in lines if each.get("event") == "request"), {})
    assert (line["key"], line["job"], line["status"]) == ("anna", response.headers["x-pixelmend-job"], 200)
    assert line["received_bytes"] > len(image)
    assert line["sent_bytes"] == len(response.content)
    assert "anna-key" not in keyed.log


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("keys: 3", "has no list called keys"),
        ("- a", "has no list called keys"),
        ("keys: [3]", "entry 1: is no mapping"),
        ("keys: [{name: a b, key: x}]", "entry 1: name='a b' is no name"),
        ("keys: [{name: a}]", "entry 1: a has no key"),
        ("keys: [{name: a, key: x, scope: use}]", "'scope' is not known; there are: name, key, scopes"),
        ("keys: [{name: a, key: x, scopes: [all]}]", "scopes=['all'] is no list of use, manage"),
        ("keys: [{name: a, key: x, expires: soon}]", "expires='soon' is no date like 2027-12-31"),
        ("keys: [{name: a, key: 'sha256:12'}]", "has not 64 hex digits"),
        ("keys: [{name: a, key: x}, {name: a, key: y}]", "the name 'a' is there twice"),
        ("keys: [", "is not YAML"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_without_telling_a_key(
    tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(text)
    with pytest.raises(InvalidParameter) as failure:
        read_key_file(path)
    assert words in failure.value.message
    assert "key: x" not in failure.value.message


def test_a_date_counts_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(
        "keys: [{name: a, key: x, expires: 2027-01-01}, {name: b, key: y, expires: 2027-01-01T06:00:00}]"
    )
    day, hour = (key.expires_s for key in read_key_file(path).keys)
    assert day is not None
    assert hour is not None
    assert (day, day - hour) == (1_798_848_000.0, 18 * 3600)
