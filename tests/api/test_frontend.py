"""The web app as the service serves it."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from pixelmend.api import frontend
from pixelmend.api.frontend import api_origin, frontend_router
from tests.inprocess import service_in_threads
from tests.service import ServiceClient

INDEX = "<!doctype html><title>app</title>"


@pytest.fixture
def build(tmp_path: Path) -> Path:
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text(INDEX)
    (dist / "favicon.svg").write_text("<svg/>")
    (dist / "assets" / "index-Ab_1-xYz9.js").write_text("1")
    (dist / "assets" / "plain.js").write_text("1")
    (tmp_path / "secret.txt").write_text("secret")
    (dist / "leads-out.txt").symlink_to(tmp_path / "secret.txt")
    return dist


class Client:
    """Asks an application that serves nothing but a build."""

    def __init__(self, web_dir: Path) -> None:
        self._app = FastAPI()
        self._app.include_router(frontend_router(web_dir))

    def get(self, path: str) -> httpx.Response:
        return asyncio.run(self._get(path))

    async def _get(self, path: str) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(path)


@pytest.fixture
def client(build: Path) -> Client:
    return Client(build)


def test_the_page_is_isolated_and_asked_for_anew_each_time(client: Client) -> None:
    page = client.get("/")
    assert page.text == INDEX
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["cache-control"] == "no-cache"
    assert page.headers["cross-origin-opener-policy"] == "same-origin"
    assert page.headers["cross-origin-embedder-policy"] == "require-corp"


def test_the_policy_allows_wasm_and_images_from_memory_but_no_foreign_script(client: Client) -> None:
    policy = dict(
        rule.strip().split(" ", 1) for rule in client.get("/").headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"].split() == ["'self'", "'wasm-unsafe-eval'"]
    assert "blob:" in policy["img-src"]
    assert "blob:" in policy["media-src"]
    assert "blob:" in policy["worker-src"]


@pytest.mark.parametrize(
    ("api_url", "allowed"),
    [
        ("", ""),
        ("http://gpu-box:8000", " http://gpu-box:8000"),
        ("https://gpu-box.example/pixelmend/", " https://gpu-box.example"),
        ("http://evil; script-src *", ""),
        ("javascript:alert(1)", ""),
    ],
)
def test_the_policy_allows_the_service_that_a_build_asks_and_no_other(
    client: Client, build: Path, api_url: str, allowed: str
) -> None:
    before = client.get("/").headers["content-security-policy"]
    assert "connect-src 'self' blob:;" in before
    assert "media-src 'self' blob:;" in before
    (build / "build.json").write_text(json.dumps({"apiUrl": api_url}))  # it counts without a restart
    expected = before
    for rule in ("connect-src 'self' blob:", "media-src 'self' blob:"):
        expected = expected.replace(rule, rule + allowed)
    for path in ("/", "/assets/index-Ab_1-xYz9.js", "/assets/plain.js", "/favicon.svg"):
        assert client.get(path).headers["content-security-policy"] == expected


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"apiUrl": 1}', "\xff"])
def test_a_build_that_records_nothing_usable_asks_its_own_origin(build: Path, record: str) -> None:
    (build / "build.json").write_bytes(record.encode("latin-1"))
    assert api_origin(build) == ""


def test_hashed_assets_are_kept_for_ever_and_others_are_not(client: Client) -> None:
    hashed = client.get("/assets/index-Ab_1-xYz9.js")
    assert (hashed.status_code, hashed.headers["cache-control"]) == (
        200,
        "public, max-age=31536000, immutable",
    )
    # A worker's script is held to the policies that it brings itself.
    assert hashed.headers["cross-origin-embedder-policy"] == "require-corp"
    assert "script-src" in hashed.headers["content-security-policy"]
    assert client.get("/assets/plain.js").headers["cache-control"] == "no-cache"


def test_files_beside_the_page_are_served(client: Client) -> None:
    assert client.get("/favicon.svg").headers["content-type"].startswith("image/svg")


@pytest.mark.parametrize(
    "path",
    [
        "/secret.txt", "/assets/../../secret.txt", "/assets/%2e%2e/%2e%2e/secret.txt", "/leads-out.txt",
        "/assets/", "/assets", "/nothing.js", "/assets/nothing-12345678.js", "/a%00b", "/" + "x" * 300,
    ],
)  # fmt: skip
def test_nothing_but_the_files_of_the_build_is_served(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_without_a_build_the_page_says_so(tmp_path: Path) -> None:
    page = Client(tmp_path / "absent").get("/")
    assert page.status_code == 200
    assert "not built" in page.text
    assert "/docs" in page.text


def test_a_build_counts_without_a_restart(tmp_path: Path) -> None:
    client = Client(tmp_path)
    assert "not built" in client.get("/").text
    (tmp_path / "index.html").write_text(INDEX)
    assert client.get("/").text == INDEX


def test_a_checkouts_build_comes_before_the_packages(
    build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frontend, "CHECKOUT_BUILD", tmp_path / "absent")
    monkeypatch.setattr(frontend, "PACKAGED_BUILD", tmp_path / "packaged")
    assert frontend.find_build(None) == tmp_path / "packaged"
    monkeypatch.setattr(frontend, "CHECKOUT_BUILD", build)
    assert frontend.find_build(None) == build
    assert frontend.find_build(tmp_path) == tmp_path


def test_what_the_api_answers_stays_as_it_was(service: ServiceClient) -> None:
    """The app's paths take nothing from the API: unknown paths and wrong methods are problems as before."""
    assert service.client.get("/").headers["content-type"].startswith("text/html")
    for method, path, status in [
        ("GET", "/api/nothing", 404),
        ("GET", "/nothing", 404),
        ("POST", "/", 405),
        ("DELETE", "/api/upscale", 405),
        ("POST", "/metrics", 405),
    ]:
        answer = service.client.request(method, path)
        assert answer.status_code == status, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert "content-security-policy" not in answer.headers
    assert "/assets/{name}" not in service.client.get("/openapi.json").json()["paths"]


@pytest.mark.parametrize("is_built", [True, False])
def test_a_start_without_a_page_says_so(tmp_path: Path, is_built: bool) -> None:
    web = tmp_path / "web"
    web.mkdir()
    if is_built:
        (web / "index.html").write_text(INDEX)
    with service_in_threads(tmp_path, web_dir=web) as started:
        assert ("only the API is served" in started.log) is not is_built
