"""Profiles that are made over HTTP: kept, changed, removed, and there after a restart."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch

from pixelmend.core.errors import InvalidParameter
from pixelmend.core.profile import Profile
from pixelmend.core.telemetry import Logger
from pixelmend.models.profiles import MAX_STORED, ProfileStore
from tests.engine.networks import compact_state
from tests.inprocess import service_in_threads
from tests.service import ServiceClient

CODE = "urn:pixelmend:problem:"
CONFIGURED = json.dumps({"night": {"models": ["small"]}})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("profiles-service")
    (folder / "models").mkdir()
    for name in ("small", "other"):
        safetensors.torch.save_file(compact_state(seed=len(name)), folder / "models" / f"{name}.safetensors")
    return folder


@pytest.fixture(scope="module")
def own(folder: Path) -> Iterator[ServiceClient]:
    with service_in_threads(folder, profiles=CONFIGURED) as running:
        yield running


def listed(service: ServiceClient) -> dict[str, dict[str, Any]]:
    return {profile["name"]: profile for profile in service.client.get("/api/profiles").json()["profiles"]}


def until_active(service: ServiceClient, name: str) -> None:
    deadline_s = time.monotonic() + 60
    while not listed(service)[name]["active"]:
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


@pytest.mark.full
def test_profile_is_made_preloaded_changed_and_removed(own: ServiceClient) -> None:
    given = {
        "models": ["small", "other"],
        "priority": 2,
        "placements": {"other": {"device": "cpu", "priority": 9}},
        "memory_limit_percent": 50,
    }
    made = own.client.put("/api/profiles/day", json=given)
    assert made.status_code == 201, made.text
    assert made.json()["placements"] == {"other": {"device": "cpu", "priority": 9}}
    assert (made.json()["read_only"], made.json()["active"]) == (False, False)
    assert listed(own)["day"] == made.json()
    assert own.client.post("/api/profiles/day/preload").json()["active"] is True
    refused = own.client.put("/api/profiles/day", json=given)
    assert (refused.status_code, refused.json()["type"]) == (409, CODE + "profile-active")
    assert own.client.post("/api/profiles/day/release").json()["active"] is False
    # An answer can be changed and sent back.
    changed = own.client.put("/api/profiles/day", json=made.json() | {"priority": 5})
    assert (changed.status_code, changed.json()["priority"]) == (200, 5)
    assert own.client.post("/api/profiles/day/preload").status_code == 200
    assert own.client.delete("/api/profiles/day").status_code == 204
    assert "day" not in listed(own)
    loaded = [m["id"] for m in own.client.get("/api/models").json()["models"] if m["loaded"]]
    assert not {"small", "other"} & set(loaded)
    assert own.client.delete("/api/profiles/day").status_code == 404


def test_profiles_of_the_configuration_are_read_only(own: ServiceClient) -> None:
    assert listed(own)["night"]["read_only"] is True
    for answer in (
        own.client.put("/api/profiles/night", json={"models": ["other"]}),
        own.client.delete("/api/profiles/night"),
    ):
        assert (answer.status_code, answer.json()["type"]) == (409, CODE + "profile-read-only")
        assert "config.yaml" in answer.json()["detail"]
    assert listed(own)["night"]["models"] == ["small"]


@pytest.mark.parametrize(
    ("name", "body", "status", "named"),
    [
        ("p", {"models": []}, 422, "models"),
        ("p", {}, 422, "models: Field required"),
        ("p", {"models": "small"}, 422, "models='small'"),
        ("p", {"models": ["nothing"]}, 404, "'nothing'"),
        ("p", {"models": ["pixelmend-fill"]}, 422, "'pixelmend-fill' is no network"),
        ("p", {"models": ["small"], "prio": 1}, 422, "'prio' is not known; there are: models, placements"),
        ("p", {"models": ["small"], "memory_limit_percent": 101}, 422, "memory_limit_percent=101"),
        ("p", {"models": ["small"], "placements": {"other": {}}}, 422, "'other', which is not among its"),
        ("p", {"models": ["small"], "placements": {"small": {"device": "gpu"}}}, 422, "small.device='gpu'"),
        (
            "p",
            {"models": ["small"], "placements": {"small": {"device": "cuda:3"}}},
            422,
            "there are: 0 (cpu)",
        ),
        ("a b", {"models": ["small"]}, 422, "profile='a b'"),
        ("x" * 65, {"models": ["small"]}, 422, "1 to 64"),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    own: ServiceClient, name: str, body: dict[str, Any], status: int, named: str
) -> None:
    answer = own.client.put(f"/api/profiles/{name}", json=body)
    assert (answer.status_code, named in answer.json()["detail"]) == (status, True), answer.text
    assert set(listed(own)) == {"night"}


def test_profiles_survive_a_restart_and_preload_what_they_should(tmp_path: Path, folder: Path) -> None:
    settings: dict[str, Any] = {"models_dir": folder / "models", "profiles": CONFIGURED}
    with service_in_threads(tmp_path, **settings) as first:
        body = {"models": ["other"], "preload": True, "placements": {"other": {"priority": 3}}}
        assert first.client.put("/api/profiles/kept", json=body).status_code == 201
        before = listed(first)["kept"]
    assert [path.name for path in (tmp_path / "data").glob("profiles*")] == ["profiles.json"]
    with service_in_threads(tmp_path, **settings) as second:
        until_active(second, "kept")
        assert listed(second)["kept"] == before | {"active": True}
        assert listed(second)["night"]["read_only"] is True


def test_new_worker_preloads_a_profile_that_was_made_meanwhile(tmp_path: Path, folder: Path) -> None:
    with service_in_threads(
        tmp_path, models_dir=folder / "models", memory_monitoring_interval=0.1
    ) as service:
        service.client.put("/api/profiles/new", json={"models": ["other"], "preload": True})
        assert listed(service)["new"]["active"] is False
        service.lose_worker()
        service.wait_until("the loss", worker_restarts=1)
        service.wait_until_ready()
        until_active(service, "new")


# --- the file ---------------------------------------------------------------------------------------------


def store_at(folder: Path, **configured: Profile) -> ProfileStore:
    return ProfileStore(folder / "profiles.json", configured, Logger())


def test_damaged_file_is_kept_and_the_service_starts(tmp_path: Path) -> None:
    for content in (
        b"{",
        b"\xff",
        b'{"version": 2, "profiles": {}}',
        b'{"version": 1, "profiles": {"p": 5}}',
    ):
        (tmp_path / "profiles.json").write_bytes(content)
        assert store_at(tmp_path).all == {}
        assert not (tmp_path / "profiles.json").exists()
    assert len(list(tmp_path.glob("profiles.json.damaged-*"))) == 4


def test_what_cannot_be_written_does_not_count(tmp_path: Path) -> None:
    store = store_at(tmp_path / "absent")
    with pytest.raises(OSError, match="absent"):
        store.put("p", Profile(models=("m",)))
    assert store.all == {}


def test_configuration_hides_a_profile_of_the_same_name_and_does_not_remove_it(tmp_path: Path) -> None:
    store_at(tmp_path).put("p", Profile(models=("stored",)))
    hidden = store_at(tmp_path, p=Profile(models=("configured",)))
    assert hidden.all["p"].models == ("configured",)
    hidden.put("q", Profile(models=("other",)))
    assert {n: p.models for n, p in store_at(tmp_path).all.items()} == {"p": ("stored",), "q": ("other",)}


def test_there_is_an_end_to_them(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    for number in range(MAX_STORED):
        store.put(f"p{number}", Profile(models=("m",)))
    with pytest.raises(InvalidParameter, match=f"{MAX_STORED} profiles"):
        store.put("one-more", Profile(models=("m",)))
    store.put("p0", Profile(models=("n",)))  # it is there already
