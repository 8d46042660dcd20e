"""Models downloaded over HTTP: from a server of the test's own, which gives files good and bad."""

import asyncio
import hashlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from pixelmend.api import service as service_module
from pixelmend.api.app import create_app
from pixelmend.api.service import build_service
from pixelmend.core.config import Settings
from pixelmend.core.errors import Draining
from pixelmend.core.telemetry import Logger
from pixelmend.models.catalog import Catalog, ModelEntry
from tests.models.downloads import CONTENT, HALF, Halfway
from tests.models.server import Exchange, FileServer, Honest, always, in_turn, running_server
from tests.service import running_service

CODE = "urn:pixelmend:problem:"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server() -> Iterator[FileServer]:
    with running_server() as running:
        yield running


class Shop:
    """The application over a small catalog, without the worker that its lifespan would start."""

    def __init__(self, folder: Path, server: FileServer, **settings: object) -> None:
        self.models_dir = folder / "models"
        chosen = {"data_dir": folder / "data", "models_dir": self.models_dir, **settings}
        self.service = build_service(Settings.model_validate(chosen), Logger())
        self._app = create_app(self.service)

    def ask(self, method: str, path: str, **headers: str) -> httpx.Response:
        async def request() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(request())

    def start(self, model_id: str = "m") -> httpx.Response:
        return self.ask("POST", f"/api/models/{model_id}/download")

    def cancel(self, model_id: str = "m") -> httpx.Response:
        return self.ask("DELETE", f"/api/models/{model_id}/download")

    def model(self, model_id: str = "m") -> dict[str, Any]:
        models = self.ask("GET", "/api/models").json()["models"]
        found: dict[str, Any] = next(model for model in models if model["id"] == model_id)
        return found

    def until(self, holds: Callable[[dict[str, Any]], bool], model_id: str = "m") -> dict[str, Any]:
        deadline_s = time.monotonic() + 30
        while not holds(model := self.model(model_id)):
            assert time.monotonic() < deadline_s, model
            time.sleep(0.01)
        return model

    def ended(self, model_id: str = "m") -> dict[str, Any]:
        return self.until(lambda model: (model["download"] or {}).get("state") != "running", model_id)

    def close(self) -> None:
        asyncio.run(self.service.downloads.close())
        asyncio.run(self.service.jobs.close())


@contextmanager
def opened(
    monkeypatch: pytest.MonkeyPatch, folder: Path, server: FileServer, **settings: object
) -> Iterator[Shop]:
    def catalog(models_dir: Path) -> Catalog:
        def entry(model_id: str, partner: str | None = None) -> ModelEntry:
            return ModelEntry(
                id=model_id,
                title=model_id,
                task="upscale",
                path=models_dir / f"{model_id}.pth",
                origin="catalog",
                sha256=SHA256,
                size_bytes=len(CONTENT),
                urls=(f"{server.url}/{model_id}.pth",),
                denoise_partner=partner,
            )

        own = ModelEntry("own", "own", "upscale", Path(__file__), "embedded")
        dropped = ModelEntry("dropped", "dropped", "upscale", Path(__file__), "dropped-in")
        return Catalog((entry("m"), entry("mixing", "partner"), entry("partner"), own, dropped))

    monkeypatch.setattr(service_module, "load_catalog", catalog)
    shop = Shop(folder, server, **settings)
    try:
        yield shop
    finally:
        shop.close()


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: FileServer) -> Iterator[Shop]:
    with opened(monkeypatch, tmp_path, server) as one:
        yield one


def test_a_download_tells_how_far_it_is_and_ends_with_the_model_present(
    shop: Shop, server: FileServer
) -> None:
    server.answers["/m.pth"] = halfway = Halfway()
    absent = shop.model()
    assert (absent["download"], absent["file_bytes"]) == (None, len(CONTENT))
    begun = shop.start()
    assert (begun.status_code, begun.json()["id"], begun.json()["present"]) == (202, "m", False)
    assert begun.json()["download"]["total_bytes"] == len(CONTENT)
    shop.until(lambda model: model["download"]["received_bytes"] == HALF)
    joined = shop.start()
    assert joined.status_code == 202
    assert joined.json()["download"] == {
        "state": "running",
        "received_bytes": HALF,
        "total_bytes": len(CONTENT),
        "problem": None,
    }
    halfway.go_on.set()
    there = shop.until(lambda model: model["download"] is None)
    assert there["present"] is True
    assert (shop.models_dir / "m.pth").read_bytes() == CONTENT
    again = shop.start()
    assert (again.status_code, again.json()) == (200, there)
    assert len(server.requests) == 1


def test_a_cancelled_download_is_forgotten_and_resumed_by_the_next(shop: Shop, server: FileServer) -> None:
    server.answers["/m.pth"] = halfway = Halfway()
    shop.start()
    shop.until(lambda model: model["download"]["received_bytes"] == HALF)
    cancelled = shop.cancel()
    assert (cancelled.status_code, cancelled.json()["download"], cancelled.json()["present"]) == (
        200,
        None,
        False,
    )
    halfway.go_on.set()
    assert shop.start().status_code == 202
    assert shop.ended()["present"] is True
    assert (shop.models_dir / "m.pth").read_bytes() == CONTENT
    first, second = server.asked_ranges()
    assert first is None
    assert second is not None
    assert int(second.removeprefix("bytes=").removesuffix("-")) >= HALF
    assert shop.cancel().json() == shop.model()  # nothing to stop


def test_a_wrong_checksum_is_told_until_it_is_forgotten_or_tried_again(
    shop: Shop, server: FileServer
) -> None:
    wrong = bytes(len(CONTENT))
    server.answers["/m.pth"] = in_turn(always(200, wrong), always(200, wrong), Honest(CONTENT))
    shop.start()
    failed = shop.ended()
    assert failed["present"] is False
    assert failed["download"]["state"] == "failed"
    problem = failed["download"]["problem"]
    assert (problem["type"], problem["status"], problem["retryable"]) == (CODE + "download-failed", 503, True)
    assert hashlib.sha256(wrong).hexdigest()[:8] in problem["detail"]
    assert list(shop.models_dir.iterdir()) == []
    assert shop.cancel().json()["download"] is None
    assert shop.start().status_code == 202
    assert shop.ended()["download"]["state"] == "failed"
    assert shop.start().json()["download"]["state"] == "running"
    assert shop.ended()["present"] is True


def test_what_a_model_mixes_with_comes_too_and_what_is_here_does_not(shop: Shop, server: FileServer) -> None:
    server.answers |= {"/mixing.pth": Honest(CONTENT), "/partner.pth": Honest(CONTENT)}
    assert shop.start("mixing").json()["download"]["total_bytes"] == 2 * len(CONTENT)
    shop.ended("mixing")
    assert (shop.model("mixing")["present"], shop.model("partner")["present"]) == (True, True)
    (shop.models_dir / "partner.pth").unlink()
    assert shop.start("mixing").json()["download"]["total_bytes"] == len(CONTENT)
    shop.ended("mixing")
    assert sorted(path for path, _ in server.requests) == ["/mixing.pth", "/partner.pth", "/partner.pth"]


def test_a_failure_is_forgotten_once_the_file_was_put_there_by_hand(shop: Shop, server: FileServer) -> None:
    server.answers["/m.pth"] = always(404)
    shop.start()
    assert shop.ended()["download"]["state"] == "failed"
    (shop.models_dir / "m.pth").write_bytes(CONTENT)
    assert (shop.model()["present"], shop.model()["download"]) == (True, None)
    assert shop.start().status_code == 200


@pytest.mark.parametrize(
    ("model_id", "status", "code", "words"),
    [
        ("nothing", 404, "unknown-model", "'nothing'"),
        ("own", 422, "invalid-parameter", "ships with the package"),
        ("dropped", 422, "invalid-parameter", "dropped-in"),
        ("pixelmend-fill", 422, "invalid-parameter", "no network"),
    ],
)
def test_what_has_no_download_is_refused_by_name(
    shop: Shop, model_id: str, status: int, code: str, words: str
) -> None:
    refused = shop.start(model_id)
    assert (refused.status_code, refused.json()["type"]) == (status, CODE + code)
    assert words in refused.json()["detail"]
    assert shop.cancel("nothing").status_code == 404


def test_the_mirror_is_asked_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: FileServer
) -> None:
    server.answers |= {"/mirror/m.pth": always(404), "/m.pth": Honest(CONTENT)}
    with opened(monkeypatch, tmp_path, server, model_mirror=f"{server.url}/mirror") as shop:
        shop.start()
        assert shop.ended()["present"] is True
    assert [path for path, _ in server.requests] == ["/mirror/m.pth", "/m.pth"]


def test_a_key_is_needed_where_there_are_keys(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: FileServer
) -> None:
    server.answers["/m.pth"] = Honest(CONTENT)
    with opened(monkeypatch, tmp_path, server, api_keys="secret") as shop:
        assert (shop.start().status_code, shop.cancel().status_code) == (401, 401)
        assert server.requests == []
        assert shop.ask("POST", "/api/models/m/download", Authorization="Bearer secret").status_code == 202


def test_closing_leaves_no_thread_and_begins_nothing_more(shop: Shop, server: FileServer) -> None:
    server.answers["/m.pth"] = endless = Trickle(len(CONTENT))
    shop.start()
    assert endless.sending.wait(30)
    asyncio.run(shop.service.downloads.close())
    assert [one.name for one in threading.enumerate() if one.name.startswith("download")] == []
    assert shop.model()["download"] is None
    with pytest.raises(Draining):
        shop.service.downloads.start("m")


class Trickle:
    """Announces so many bytes and sends them slowly."""

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes
        self.sending = threading.Event()

    def __call__(self, exchange: Exchange) -> None:
        exchange.begin(200, {"Content-Length": str(self._size_bytes), "ETag": '"v1"'})
        for _ in range(self._size_bytes // 64):
            exchange.wfile.write(b"\x80" * 64)
            exchange.wfile.flush()
            self.sending.set()
            time.sleep(0.02)


@pytest.mark.full
def test_a_service_that_is_stopped_leaves_at_once_and_keeps_what_has_arrived(
    server: FileServer, tmp_path: Path
) -> None:
    name = "RealESRGAN_x4plus.pth"
    server.answers[f"/{name}"] = Trickle(67_040_989)
    with running_service(tmp_path, model_mirror=server.url) as own:
        path = "/api/models/RealESRGAN_x4plus"
        assert own.client.post(f"{path}/download").status_code == 202
        partial = tmp_path / "models" / f"{name}.part"
        deadline_s = time.monotonic() + 30
        while not (partial.is_file() and partial.stat().st_size):
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
        own.process.send_signal(signal.SIGTERM)
        assert own.process.wait(20) == 0
        assert partial.stat().st_size > 0
        assert not (tmp_path / "models" / name).exists()
        assert "the download was stopped" in own.log
