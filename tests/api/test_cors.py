"""Which pages of other origins may use the service."""

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

import pixelmend
from pixelmend.api import cors
from pixelmend.api.app import create_app
from pixelmend.api.service import Service, build_service
from pixelmend.core.config import Settings
from pixelmend.core.telemetry import Logger

ORIGIN = "https://pictures.example"
Ask = Callable[..., httpx.Response]


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Callable[[str], Ask]]:
    built: list[Service] = []

    def asking(cors_origins: str) -> Ask:
        settings = Settings(
            data_dir=tmp_path / "data", models_dir=tmp_path / "models", cors_origins=cors_origins
        )
        built.append(build_service(settings, Logger()))
        app = create_app(built[0])

        def ask(method: str, path: str, **headers: str) -> httpx.Response:
            async def request() -> httpx.Response:
                transport = httpx.ASGITransport(app)
                async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                    named = {name.replace("_", "-"): value for name, value in headers.items()}
                    return await client.request(method, path, headers=named)

            return asyncio.run(request())

        return ask

    yield asking
    for service in built:
        asyncio.run(service.jobs.close())


def preflight(ask: Ask, origin: str, method: str, *names: str) -> httpx.Response:
    return ask(
        "OPTIONS",
        "/api/jobs",
        Origin=origin,
        Access_Control_Request_Method=method,
        Access_Control_Request_Headers=",".join(names),
    )


def test_by_default_no_other_origin_may(asking: Callable[[str], Ask]) -> None:
    ask = asking("")
    answer = ask("GET", "/api/models", Origin=ORIGIN)
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert preflight(ask, ORIGIN, "POST").status_code == 405


def test_a_named_origin_may_send_what_the_app_sends_and_others_may_not(
    asking: Callable[[str], Ask],
) -> None:
    ask = asking(f"https://other.example:8443 , {ORIGIN}")
    for origin in (ORIGIN, "https://other.example:8443"):
        for method in ("POST", "DELETE"):
            allowed = preflight(
                ask, origin, method, "authorization", "idempotency-key", "last-event-id", "content-type"
            )
            assert allowed.status_code == 200, allowed.text
            assert allowed.headers["access-control-allow-origin"] == origin
            assert method in allowed.headers["access-control-allow-methods"]
            assert allowed.headers["x-request-id"]
    assert preflight(ask, "https://pictures.example.evil", "POST").status_code == 400
    stranger = ask("GET", "/api/models", Origin="http://pictures.example")
    assert "access-control-allow-origin" not in stranger.headers


def test_answers_and_problems_can_be_read_with_their_headers(asking: Callable[[str], Ask]) -> None:
    ask = asking(ORIGIN)
    for path, status in (("/api/models", 200), ("/api/jobs/none", 404), ("/api/nothing", 404)):
        answer = ask("GET", path, Origin=ORIGIN)
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert "access-control-allow-credentials" not in answer.headers
        assert answer.headers["vary"] == "Origin"
        readable = set(answer.headers["access-control-expose-headers"].split(", "))
        assert readable >= {"ETag", "Location", "Content-Disposition", "Retry-After", "Content-Range"}


def test_every_header_of_ours_can_be_read() -> None:
    package = Path(pixelmend.__file__).parent
    sources = [path.read_text() for path in package.rglob("*.py") if path.name != "cors.py"]
    sent = {name for text in sources for name in re.findall(r'"(X-Pixelmend-[\w-]+)"', text)}
    assert len(sent) > 10
    assert sent - {"X-Pixelmend-Signature"} <= set(cors.READABLE_HEADERS)  # that one goes to webhooks


def test_every_origin_may_where_that_is_asked_for(asking: Callable[[str], Ask]) -> None:
    answer = asking("*")("GET", "/api/models", Origin="https://anywhere.example")
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("value", ["pictures.example", "https://a.example/", "https://a.example,*", "null"])
def test_what_no_browser_sends_as_an_origin_is_refused_at_the_start(value: str) -> None:
    with pytest.raises(ValidationError, match="cors_origins"):
        Settings(cors_origins=value)
