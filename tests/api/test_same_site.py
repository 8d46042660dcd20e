"""What pages of other sites may not have a browser do: the hosts and the origins that are refused."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from pixelmend.api.app import create_app
from pixelmend.api.same_site import Hosts
from pixelmend.api.service import Service, build_service
from pixelmend.core.config import Settings
from pixelmend.core.telemetry import Logger

Ask = Callable[..., httpx.Response]
CHANGES = [
    ("POST", "/api/models/pixelmend-x4/load"),
    ("POST", "/api/models/pixelmend-x4/unload"),
    ("POST", "/api/models/pixelmend-x4/pin"),
    ("POST", "/api/models/RealESRGAN_x4plus/download"),
    ("DELETE", "/api/models/RealESRGAN_x4plus/download"),
    ("POST", "/api/profiles/any/preload"),
    ("POST", "/api/upscale"),
    ("POST", "/api/inpaint"),
    ("POST", "/api/jobs"),
    ("POST", "/api/estimate"),
    ("DELETE", "/api/jobs/any"),
]


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Callable[..., Ask]]:
    built: list[Service] = []

    def asking(**settings: Any) -> Ask:
        folders: dict[str, Any] = {"data_dir": tmp_path / "data", "models_dir": tmp_path / "models"}
        built.append(build_service(Settings(_env_file=None, **folders, **settings), Logger()))
        app = create_app(built[0])

        def ask(method: str, path: str, host: str = "localhost:8000", **headers: str) -> httpx.Response:
            async def request() -> httpx.Response:
                transport = httpx.ASGITransport(app)
                async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                    named = {name.replace("_", "-"): value for name, value in headers.items()}
                    return await client.request(method, path, headers=named | {"Host": host})

            return asyncio.run(request())

        return ask

    yield asking
    for service in built:
        asyncio.run(service.jobs.close())


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost:3000"},
    {"Origin": "https://localhost:8001"},
    {"Origin": "null"},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site", "Origin": "http://localhost:8000"},
]


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_no_change_is_made_for_a_page_of_another_site(
    asking: Callable[..., Ask], method: str, path: str
) -> None:
    ask = asking()
    for headers in FOREIGN:
        refused = ask(method, path, **headers)
        assert refused.status_code == 403, (headers, refused.text)
        assert refused.json()["type"] == "urn:pixelmend:problem:cross-site-request"
        assert refused.json()["request_id"] == refused.headers["x-request-id"]
        assert "PIXELMEND_CORS_ORIGINS" in refused.json()["detail"]


def test_own_pages_and_programs_may_and_everybody_may_read(asking: Callable[..., Ask]) -> None:
    ask = asking()
    own: list[dict[str, str]] = [
        {},
        {"Origin": "http://localhost:8000"},
        {"Origin": "http://LOCALHOST:8000"},
        # Behind a proxy that speaks TLS, or that calls the service by another name.
        {"host": "127.0.0.1", "Origin": "https://127.0.0.1"},
        {"Origin": "https://pictures.example", "Sec_Fetch_Site": "same-origin"},
        {"Sec_Fetch_Site": "none"},
    ]
    for headers in own:
        assert ask("DELETE", "/api/jobs/any", **headers).status_code == 404, headers
    for headers in FOREIGN:
        assert ask("GET", "/api/models", **headers).status_code == 200


def test_named_origins_may(asking: Callable[..., Ask]) -> None:
    ask = asking(cors_origins="https://pictures.example")
    for headers in ({"Sec_Fetch_Site": "cross-site"}, {}):
        allowed = ask("DELETE", "/api/jobs/any", Origin="https://pictures.example", **headers)
        assert allowed.status_code == 404
        assert allowed.headers["access-control-allow-origin"] == "https://pictures.example"
        assert ask("DELETE", "/api/jobs/any", Origin="https://evil.example", **headers).status_code == 403


def test_a_foreign_host_reads_nothing(asking: Callable[..., Ask]) -> None:
    ask = asking(allowed_hosts="pictures.example, .inside.example")
    for host in ("evil.example", "evil.example:8000", "localhost.evil.example", "", "a b", "[::1", "-a"):
        for method, path in (("GET", "/api/jobs"), ("GET", "/"), ("GET", "/livez"), *CHANGES[:1]):
            refused = ask(method, path, host=host)
            assert refused.status_code == 421, (host, refused.text)
            assert refused.json()["type"] == "urn:pixelmend:problem:unknown-host"
            assert "PIXELMEND_ALLOWED_HOSTS" in refused.json()["detail"]
    for host in (
        "pictures.example",
        "Pictures.Example:443",
        "a.b.inside.example",
        "10.0.0.7:3332",
        "[::1]:80",
    ):
        assert ask("GET", "/livez", host=host).status_code == 200, host


def test_which_hosts_are_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "Gpu-Box.lan.example")
    hosts = Hosts("")
    for own in (
        "localhost",
        "localhost.",
        "app.localhost:5173",
        "127.0.0.2",
        "gpu-box.lan.example",
        "nas",
        "my_nas:3332",
        "Other.local",
        "media.home.arpa",
        "a.b.internal",
    ):
        assert hosts.has(own), own
    for foreign in (
        "gpu-box.evil.example",
        "127.0.0.1.evil.example",
        "0x7f.1",
        "xlocal.example",
        "evil.xlocal",
        "nas.lan",
        ".",
    ):
        assert not hosts.has(foreign), foreign
    assert Hosts("*").has("anything.example")


@pytest.mark.parametrize("value", ["https://pictures.example", "a/b", "a:80"])
def test_what_is_no_host_name_is_refused_at_the_start(value: str) -> None:
    with pytest.raises(ValidationError, match="allowed_hosts"):
        Settings(_env_file=None, allowed_hosts=value)
