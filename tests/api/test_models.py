"""Models and profiles over HTTP, against the real service."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import safetensors.torch

from tests.cli.test_cli import pixelmend
from tests.engine.networks import compact_state
from tests.inprocess import service_in_threads
from tests.pictures import encoded, photo
from tests.service import ServiceClient

CODE = "urn:pixelmend:problem:"
SLOW = encoded(photo(side_px=500, left=0, top=0), "JPEG", quality=95)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceClient]:
    folder = tmp_path_factory.mktemp("models-service")
    (folder / "models").mkdir()
    for name in ("small", "other", "third"):
        safetensors.torch.save_file(compact_state(seed=len(name)), folder / "models" / f"{name}.safetensors")
    (folder / "models" / "broken.pth").write_bytes(b"<html>not here</html>")
    profiles = {
        "night": {"models": ["small", "other"], "priority": 2},
        "greedy": {"models": ["third"], "memory_limit_bytes": 1},
        "wrong": {"models": ["small", "nothing"]},
    }
    with service_in_threads(
        folder, profiles=json.dumps(profiles), memory_monitoring_interval=0.1, request_timeout_s=60
    ) as running:
        yield running


def model(service: ServiceClient, model_id: str) -> dict[str, Any]:
    models = service.client.get("/api/models").json()["models"]
    found: dict[str, Any] = next(m for m in models if m["id"] == model_id)
    return found


def post(service: ServiceClient, path: str) -> httpx.Response:
    return service.client.post(path)


def test_model_is_loaded_and_unloaded_when_asked(own: ServiceClient) -> None:
    assert model(own, "small")["loaded"] is False
    loaded = post(own, "/api/models/small/load")
    assert loaded.status_code == 200, loaded.text
    assert (loaded.json()["loaded"], loaded.json()["scale"], loaded.json()["leases"]) == (True, 2, 0)
    assert loaded.json()["bytes"] > 0
    assert model(own, "small") | {"idle_s": 0} == loaded.json() | {"idle_s": 0}  # time passes between them
    gone = post(own, "/api/models/small/unload").json()
    assert (gone["loaded"], gone["bytes"]) == (False, None)
    assert post(own, "/api/models/small/unload").status_code == 200  # as it was


def test_pinned_model_stays(own: ServiceClient) -> None:
    assert post(own, "/api/models/other/pin").json()["pinned"] is True
    refused = post(own, "/api/models/other/unload")
    assert (refused.status_code, refused.json()["type"]) == (409, CODE + "model-held")
    assert model(own, "other")["loaded"] is True
    assert post(own, "/api/models/other/unpin").json()["pinned"] is False
    assert post(own, "/api/models/other/unload").json()["loaded"] is False


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/models/nothing/load", 404, "unknown-model"),
        ("/api/models/nothing/unload", 404, "unknown-model"),
        ("/api/models/broken/load", 503, "model-unusable"),
        ("/api/models/RealESRGAN_x4plus/load", 503, "model-unusable"),
        ("/api/models/big-lama/pin", 503, "model-unusable"),
        ("/api/models/pixelmend-fill/pin", 422, "invalid-parameter"),
        ("/api/profiles/nobody/preload", 404, "unknown-profile"),
        ("/api/profiles/nobody/release", 404, "unknown-profile"),
    ],
)
def test_what_cannot_be_is_refused_by_name(own: ServiceClient, path: str, status: int, code: str) -> None:
    response = post(own, path)
    assert (response.status_code, response.json()["type"]) == (status, CODE + code), response.text
    assert path.split("/")[3] in response.json()["detail"]


@pytest.mark.full
def test_model_in_use_is_unloaded_when_its_job_has_ended(own: ServiceClient) -> None:
    job = own.post_job(SLOW, model="small", tile=64).json()
    own.wait_until("a running job", running=1)
    while model(own, "small")["leases"] == 0:
        pass
    with ThreadPoolExecutor(1) as one:
        unloading = one.submit(post, own, "/api/models/small/unload")
        assert own.ended_job(job["id"])["state"] == "done"
        assert unloading.result().json()["loaded"] is False


@pytest.mark.full
def test_profile_is_preloaded_held_and_released(own: ServiceClient) -> None:
    listed = {p["name"]: p for p in own.client.get("/api/profiles").json()["profiles"]}
    assert set(listed) == {"night", "greedy", "wrong"}
    assert listed["night"]["active"] is False
    assert post(own, "/api/profiles/night/preload").json()["active"] is True
    assert [model(own, name)["loaded"] for name in ("small", "other")] == [True, True]
    assert post(own, "/api/models/small/unload").json()["type"] == CODE + "model-held"
    released = post(own, "/api/profiles/night/release")
    assert (released.status_code, released.json()["active"]) == (200, False)
    assert [model(own, name)["loaded"] for name in ("small", "other")] == [False, False]


def test_profile_beyond_its_limit_or_with_an_unknown_model_holds_nothing(own: ServiceClient) -> None:
    refused = post(own, "/api/profiles/greedy/preload")
    assert (refused.status_code, refused.json()["type"]) == (503, CODE + "model-too-large")
    assert "'greedy'" in refused.json()["detail"]
    assert post(own, "/api/profiles/wrong/preload").status_code == 404
    active = [p["name"] for p in own.client.get("/api/profiles").json()["profiles"] if p["active"]]
    assert active == []
    assert model(own, "third")["loaded"] is False
    assert model(own, "small")["loaded"] is False


def test_lost_worker_is_an_answer_and_no_silence(own: ServiceClient) -> None:
    own.hold_worker()
    with ThreadPoolExecutor(1) as one:
        asked = one.submit(post, own, "/api/models/small/load")
        own.wait_until("the question", timeout_s=30)
        threading.Timer(0.5, own.lose_worker).start()
        response = asked.result()
    assert (response.status_code, response.json()["type"]) == (503, CODE + "no-worker")
    own.wait_until_ready()
    assert post(own, "/api/models/small/load").json()["loaded"] is True


@pytest.mark.full
def test_new_worker_keeps_what_the_lost_one_was_asked_to_keep(own: ServiceClient) -> None:
    assert post(own, "/api/models/third/pin").json()["pinned"] is True
    assert post(own, "/api/profiles/night/preload").json()["active"] is True
    restarts = own.client.get("/api/health").json()["worker_restarts"]
    own.lose_worker()
    own.wait_until("the loss", worker_restarts=restarts + 1)
    deadline_s = time.monotonic() + 60
    while not all(model(own, name)["loaded"] for name in ("small", "other", "third")):
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    assert model(own, "third")["pinned"] is True
    active = [p["name"] for p in own.client.get("/api/profiles").json()["profiles"] if p["active"]]
    assert active == ["night"]
    for path in ("/api/models/third/unpin", "/api/profiles/night/release", "/api/models/third/unload"):
        assert post(own, path).status_code == 200


@pytest.mark.full
def test_commands_ask_the_running_service(own: ServiceClient) -> None:
    host, port = own.base_url.removeprefix("http://").split(":")
    where = {
        "PIXELMEND_HOST": host,
        "PIXELMEND_PORT": port,
        "PIXELMEND_MODELS_DIR": str(own.folder / "models"),
    }
    pinned = pixelmend("models", "pin", "third", "nothing", **where)
    assert pinned.returncode == 1
    assert "third: loaded in" in pinned.stdout
    assert "pinned" in pinned.stdout
    assert "nothing" in pinned.stderr
    listed = pixelmend("models", "list", **where)
    assert any("third" in line and "dropped-in, loaded in" in line for line in listed.stdout.splitlines())
    shown = pixelmend("gpu", **where)
    assert any("third" in line and "pin" in line for line in shown.stdout.splitlines())
    assert pixelmend("models", "unpin", "third", **where).returncode == 0
    nobody = pixelmend("models", "load", "third", PIXELMEND_PORT="1")
    assert (nobody.returncode, "no Pixelmend service answers" in nobody.stderr) == (1, True)


@pytest.mark.full
def test_a_thousand_unloads_of_clients_that_go_away_hold_up_nobody(own: ServiceClient) -> None:
    assert post(own, "/api/models/small/load").status_code == 200
    job = own.post_job(encoded(photo(side_px=300)), model="small").json()
    host, port = own.base_url.removeprefix("http://").split(":")
    threads = threading.active_count()
    for number in range(1000):
        with socket.create_connection((host, int(port))) as client:
            name = ("small", "other", "third")[number % 3]
            client.sendall(f"POST /api/models/{name}/unload HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert threading.active_count() < threads + 20
    assert own.ended_job(job["id"])["state"] == "done"
    response = own.client.post("/api/upscale", files={"file": encoded(photo(side_px=32))})
    assert response.status_code == 200
    assert post(own, "/api/models/small/load").status_code == 200


@pytest.mark.full
def test_with_several_keys_only_an_admin_key_administers(tmp_path: Path) -> None:
    with service_in_threads(tmp_path, api_keys="alice,bob", admin_keys="root") as keyed:
        for key, status in (("alice", 403), ("bob", 403), ("wrong", 403), ("", 401), ("root", 200)):
            headers = {"X-API-Key": key} if key else {}
            for path in ("load", "pin", "unpin", "unload"):
                response = keyed.client.post(f"/api/models/pixelmend-x4/{path}", headers=headers)
                assert response.status_code == status, (key, path, response.text)
            profile = keyed.client.post("/api/profiles/x/preload", headers=headers)
            assert profile.status_code == (404 if status == 200 else status)
            download = keyed.client.delete("/api/models/RealESRGAN_x4plus/download", headers=headers)
            assert (download.status_code in (401, 403)) == (status != 200)
        upscaled = keyed.client.post(
            "/api/upscale", files={"file": encoded(photo(side_px=32))}, headers={"X-API-Key": "root"}
        )
        assert upscaled.status_code == 200


def test_administration_needs_a_key_when_there_are_keys(tmp_path: Path) -> None:
    with service_in_threads(tmp_path, api_keys="secret") as keyed:
        for path in ("/api/models/pixelmend-x4/load", "/api/profiles/x/preload"):
            assert post(keyed, path).status_code == 401
        for path in ("/api/memory", "/api/memory/events", "/api/profiles"):
            assert keyed.client.get(path).status_code == 401
        key = {"Authorization": "Bearer secret"}
        assert keyed.client.post("/api/models/pixelmend-x4/load", headers=key).status_code == 200
        assert keyed.client.get("/api/memory", headers=key).status_code == 200
