"""What a bug in a handler looks like from outside."""

import asyncio
from pathlib import Path

import httpx
from starlette.routing import Route

from pixelmend.config import Settings
from pixelmend.telemetry import Logger, configure_logging
from pixelmend.web.app import create_app
from pixelmend.web.service import build_service


def test_it_is_a_500_that_says_that_the_connection_ends(tmp_path: Path) -> None:
    configure_logging("critical", "json")
    service = build_service(Settings(_env_file=None, data_dir=tmp_path / "data"), Logger())

    async def fails(_: object) -> None:
        raise ValueError("a secret of the inside")

    async def asked() -> httpx.Response:
        app = create_app(service)
        app.router.routes.insert(0, Route("/fails", fails))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get("/fails")

    try:
        answer = asyncio.run(asked())
    finally:
        asyncio.run(service.desk.close())
        service.spool.close()
    assert (answer.status_code, answer.headers["connection"]) == (500, "close")
    assert answer.json()["type"] == "urn:pixelmend:problem:internal"
    assert "secret" not in answer.text
