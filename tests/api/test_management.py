"""`/api/management`, and what gives memory back at once, against the real service and its worker."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import safetensors.torch

from tests.engine.networks import compact_state
from tests.inprocess import service_in_threads
from tests.pictures import encoded, photo
from tests.service import ServiceClient

CODE = "urn:pixelmend:problem:"
SLOW = encoded(photo(side_px=500, left=0, top=0), "JPEG", quality=95)
START = {
    "auto_cleanup_enabled": False,
    "cleanup_threshold_percent": 85.0,
    "idle_timeout_minutes": 30.0,
    "memory_monitoring_enabled": True,
    "memory_monitoring_interval": 0.1,
    "max_memory_usage_percent": 90.0,
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceClient]:
    folder = tmp_path_factory.mktemp("management-service")
    (folder / "models").mkdir()
    for name in ("small", "other"):
        safetensors.torch.save_file(compact_state(seed=len(name)), folder / "models" / f"{name}.safetensors")
    profiles = json.dumps({"night": {"models": ["small"]}})
    with service_in_threads(
        folder, memory_monitoring_interval=0.1, auto_cleanup_enabled="false", profiles=profiles
    ) as service:
        yield service


@pytest.fixture
def own(running: ServiceClient) -> Iterator[ServiceClient]:
    """Afterwards as it was at the start."""
    yield running
    assert patch(running, START).status_code == 200
    assert running.client.post("/api/models/unload?force=true").status_code == 200


def patch(service: ServiceClient, changes: dict[str, Any]) -> httpx.Response:
    return service.client.patch("/api/management", json=changes)


def values(service: ServiceClient) -> dict[str, Any]:
    answer = service.client.get("/api/management").json()
    return {name: setting["value"] for name, setting in answer["settings"].items()}


def loaded(service: ServiceClient) -> set[str]:
    models = service.client.get("/api/models").json()["models"]
    return {model["id"] for model in models if model["loaded"] and model["architecture"]}


def device(service: ServiceClient) -> dict[str, Any]:
    found: dict[str, Any] = service.client.get("/api/memory?points=1800").json()["devices"][0]
    return found


def until(holds: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def test_settings_are_shown_with_their_ranges_and_where_they_come_from(own: ServiceClient) -> None:
    answer = own.client.get("/api/management").json()
    assert values(own) == START
    threshold = answer["settings"]["cleanup_threshold_percent"]
    assert threshold["range"] == {"minimum": 0, "maximum": 100, "minimum_excluded": True}
    assert (threshold["unit"], threshold["configured"]) == ("percent", 85.0)
    assert answer["settings"]["auto_cleanup_enabled"]["range"] is None
    assert answer["settings"]["memory_monitoring_interval"]["unit"] == "seconds"
    port = int(own.base_url.rpartition(":")[2])
    assert answer["instance"]["port"] == port
    assert answer["instance"] == own.client.get("/api/memory").json()["instance"]
    assert answer["instance"] == own.client.get("/api/models").json()["instance"]


def test_changes_count_are_seen_and_say_that_they_do_not_last(own: ServiceClient) -> None:
    answer = patch(own, {"idle_timeout_minutes": 5, "memory_monitoring_interval": 0.2})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["settings"]["idle_timeout_minutes"]["value"] == 5
    assert body["settings"]["idle_timeout_minutes"]["configured"] == 30
    assert (body["persistent"], "config.yaml" in body["note"]) == (False, True)
    assert values(own) == START | {"idle_timeout_minutes": 5, "memory_monitoring_interval": 0.2}
    assert own.client.get("/api/memory").json()["interval_s"] == 0.2


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        (
            {"idle_minutes": 5},
            422,
            "'idle_minutes' cannot be changed here; there are: auto_cleanup_",
        ),
        (
            {"cleanup_threshold_percent": 101},
            422,
            "cleanup_threshold_percent=101 is out of range: it ",
        ),
        ({"cleanup_threshold_percent": 0}, 422, "greater than 0 and at most 100"),
        ({"memory_monitoring_interval": 0.05}, 422, "at least 0.1 and at most 3600"),
        (
            {"idle_timeout_minutes": -1},
            422,
            "idle_timeout_minutes=-1 is out of range: it has to be at",
        ),
        ({"idle_timeout_minutes": "5"}, 422, "idle_timeout_minutes='5' is not a number"),
        ({"idle_timeout_minutes": True}, 422, "idle_timeout_minutes=True is not a number"),
        ({"idle_timeout_minutes": None}, 422, "idle_timeout_minutes=None is not a number"),
        ({"idle_timeout_minutes": 10**400}, 422, "is not a number"),
        ({"auto_cleanup_enabled": 1}, 422, "auto_cleanup_enabled=1 is neither true nor false"),
        ({}, 422, "nothing is to be changed"),
        ([], 400, "not an object"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_changed(
    own: ServiceClient, body: Any, status: int, named: str
) -> None:
    if isinstance(body, dict) and body:
        body = {"max_memory_usage_percent": 50, **body}
    answer = own.client.patch("/api/management", content=json.dumps(body))
    assert (answer.status_code, named in answer.json()["detail"]) == (status, True), answer.text
    assert values(own) == START


def test_body_that_is_no_json_or_too_long_is_refused(own: ServiceClient) -> None:
    for content, status in ((b"{", 400), (b"\xff", 400), (b"[" * 10_000, 400), (b" " * 20_000, 413)):
        answer = own.client.patch("/api/management", content=content)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    not_finite = own.client.patch("/api/management", content=b'{"idle_timeout_minutes": NaN}')
    assert (not_finite.status_code, "nan is not a number" in not_finite.json()["detail"]) == (422, True)


def test_shorter_idle_time_unloads_what_is_open(own: ServiceClient) -> None:
    assert own.client.post("/api/models/small/load").status_code == 200
    assert patch(own, {"idle_timeout_minutes": 0.001}).status_code == 200
    until(lambda: loaded(own) == set())


@pytest.mark.full
def test_lowered_ceiling_unloads_what_has_no_room_and_refuses_it(own: ServiceClient) -> None:
    assert own.client.post("/api/models/small/load").status_code == 200
    assert patch(own, {"max_memory_usage_percent": 1e-6}).status_code == 200
    until(lambda: loaded(own) == set())
    refused = own.client.post("/api/models/small/load")
    assert (refused.status_code, refused.json()["type"]) == (503, CODE + "model-too-large")
    until(lambda: device(own)["now"]["ceiling_bytes"] < 10_000)
    assert patch(own, {"max_memory_usage_percent": 90}).status_code == 200
    assert own.client.post("/api/models/small/load").status_code == 200


def test_changed_interval_is_seen_in_the_history(own: ServiceClient) -> None:
    assert patch(own, {"memory_monitoring_interval": 3600}).status_code == 200
    until(lambda: (count := len(device(own)["history"])) > 0 and not grows(own, count))
    count = len(device(own)["history"])
    assert patch(own, {"memory_monitoring_interval": 0.1}).status_code == 200
    until(lambda: len(device(own)["history"]) > count + 3)


def grows(service: ServiceClient, count: int) -> bool:
    time.sleep(0.5)
    return len(device(service)["history"]) > count


@pytest.mark.full
def test_monitoring_is_switched_off_and_on(own: ServiceClient) -> None:
    until(lambda: device(own)["now"] is not None)
    assert patch(own, {"memory_monitoring_enabled": False}).status_code == 200
    answer = own.client.get("/api/memory").json()
    assert (answer["enabled"], answer["devices"][0]["now"]) == (False, None)
    until(lambda: not grows(own, len(device(own)["history"])))
    assert own.client.post("/api/models/small/load").status_code == 200
    assert device(own)["now"] is None
    assert patch(own, {"memory_monitoring_enabled": True}).status_code == 200
    until(lambda: device(own)["now"] is not None)


def test_threshold_of_alerts_follows(own: ServiceClient) -> None:
    def kinds() -> set[str]:
        return {alert["kind"] for alert in device(own)["raised"]}

    assert "device-memory" not in kinds()
    assert patch(own, {"cleanup_threshold_percent": 0.001}).status_code == 200
    until(lambda: "device-memory" in kinds())
    assert patch(own, {"memory_monitoring_enabled": False}).status_code == 200
    until(lambda: kinds() == set())


@pytest.mark.full
def test_new_worker_keeps_what_was_changed(own: ServiceClient) -> None:
    changes = {"max_memory_usage_percent": 1e-6, "memory_monitoring_interval": 0.2}
    assert patch(own, changes).status_code == 200
    restarts = own.client.get("/api/health").json()["worker_restarts"]
    own.lose_worker()
    own.wait_until("the loss", worker_restarts=restarts + 1)
    until(lambda: device(own)["now"] is not None)
    assert values(own) == START | changes
    assert device(own)["now"]["ceiling_bytes"] < 10_000
    assert loaded(own) == set()  # the default model has no room either
    assert patch(own, {"max_memory_usage_percent": 90}).status_code == 200
    assert own.client.post("/api/models/pixelmend-x4/load").status_code == 200


def test_change_while_the_worker_starts_is_not_lost(own: ServiceClient) -> None:
    restarts = own.client.get("/api/health").json()["worker_restarts"]
    own.lose_worker()
    own.wait_until("the loss", worker_restarts=restarts + 1)
    assert patch(own, {"max_memory_usage_percent": 1e-6}).status_code == 200
    until(lambda: device(own)["now"] is not None and device(own)["now"]["ceiling_bytes"] < 10_000)


# --- memory and models ------------------------------------------------------------------------------------


@pytest.mark.full
def test_memory_is_freed_of_what_nothing_keeps(own: ServiceClient) -> None:
    for path in ("/api/models/other/load", "/api/models/pixelmend-x2/pin", "/api/profiles/night/preload"):
        assert own.client.post(path).status_code == 200
    held = next(m for m in own.client.get("/api/models").json()["models"] if m["id"] == "small")
    assert (held["profiles"], held["devices"]) == (["night"], ["cpu"])
    answer = own.client.post("/api/memory/free")
    assert answer.status_code == 200, answer.text
    (freed,) = answer.json()["devices"]
    assert "other" in [model["model"] for model in freed["models"]]
    assert answer.json()["bytes"] == freed["bytes"] == sum(model["bytes"] for model in freed["models"]) > 0
    assert (freed["index"], freed["device"], freed["problem"]) == (0, "cpu", None)
    kept = {model["model"]: model for model in freed["kept"]}
    assert kept.keys() == {"small", "pixelmend-x2"} == loaded(own)
    assert (kept["small"]["profiles"], kept["pixelmend-x2"]["pinned"]) == (["night"], True)


@pytest.mark.full
def test_all_models_are_unloaded_and_with_force_those_that_are_kept(own: ServiceClient) -> None:
    for path in ("/api/models/other/pin", "/api/profiles/night/preload", "/api/models/pixelmend-x4/load"):
        assert own.client.post(path).status_code == 200
    assert own.client.post("/api/models/unload").status_code == 200
    assert loaded(own) == {"small", "other"}
    (freed,) = own.client.post("/api/models/unload?force=true").json()["devices"]
    assert (freed["unpinned"], freed["released"], freed["kept"]) == (["other"], ["night"], [])
    assert loaded(own) == set()
    (night,) = own.client.get("/api/profiles").json()["profiles"]
    assert night["active"] is False


@pytest.mark.full
def test_forced_unload_of_one_takes_its_pin_and_a_new_worker_does_not_pin_it(own: ServiceClient) -> None:
    assert own.client.post("/api/models/other/pin").status_code == 200
    refused = own.client.post("/api/models/other/unload")
    assert (refused.status_code, refused.json()["type"]) == (409, CODE + "model-held")
    unloaded = own.client.post("/api/models/other/unload?force=true").json()
    assert (unloaded["loaded"], unloaded["pinned"]) == (False, False)
    restarts = own.client.get("/api/health").json()["worker_restarts"]
    own.lose_worker()
    own.wait_until("the loss", worker_restarts=restarts + 1)
    own.wait_until_ready()
    assert own.client.post("/api/models/small/load").status_code == 200  # it hears commands
    assert "other" not in loaded(own)


def test_force_breaks_no_job(own: ServiceClient) -> None:
    job = own.post_job(SLOW, model="small", tile=64).json()
    own.wait_until("a running job", running=1)
    with ThreadPoolExecutor(1) as one:
        unloading = one.submit(own.client.post, "/api/models/unload?force=true")
        assert own.ended_job(job["id"])["state"] == "done"
        assert unloading.result().status_code == 200


def test_model_is_loaded_on_the_device_that_is_named(own: ServiceClient) -> None:
    for name in ("cpu", "0"):
        answer = own.client.post("/api/models/small/load", params={"device": name})
        assert (answer.status_code, answer.json()["devices"]) == (200, ["cpu"]), answer.text
    refused = own.client.post("/api/models/small/load?device=cuda:7")
    assert refused.status_code == 422
    assert refused.json()["detail"] == "device='cuda:7' is not one of this service's; there are: 0 (cpu)"


def test_management_is_for_admins_and_reading_for_callers(tmp_path: Path) -> None:
    posts = ("/api/memory/free", "/api/models/unload", "/api/models/unload?force=true")
    with service_in_threads(tmp_path, api_keys="alice,bob", admin_keys="root") as keyed:
        for key, status in (("alice", 403), ("wrong", 403), ("", 401), ("root", 200)):
            headers = {"X-API-Key": key} if key else {}
            changed = keyed.client.patch("/api/management", json={"idle_timeout_minutes": 3}, headers=headers)
            assert changed.status_code == status, (key, changed.text)
            for path in posts:
                assert keyed.client.post(path, headers=headers).status_code == status, (key, path)
            put = keyed.client.put("/api/profiles/p", json={"models": ["pixelmend-x2"]}, headers=headers)
            assert put.status_code == (201 if status == 200 else status)
            removed = keyed.client.delete("/api/profiles/p", headers=headers)
            assert removed.status_code == (204 if status == 200 else status)
            for path in ("/api/management", "/api/instances"):
                read = keyed.client.get(path, headers=headers)
                assert read.status_code == (200 if key == "alice" else status), (key, path)
