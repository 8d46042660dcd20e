"""The tools of `pixelmend mcp`, asked by the protocol's own client."""

import asyncio
import base64
import io
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult, ImageContent, ResourceLink, TextContent
from PIL import Image

from pixelmend.cli.mcp_server import Roots, build_server
from pixelmend.client import AsyncClient
from pixelmend.core.errors import InvalidParameter
from tests.pictures import encoded, photo
from tests.service import ServiceClient
from tests.video.clips import Clip, constant_rate, make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "pictures"
    root.mkdir()
    (root / "photo.jpg").write_bytes(encoded(photo("coffee", side_px=40, left=7, top=9), "JPEG"))
    (tmp_path / "secret.jpg").write_bytes(encoded(photo(side_px=32), "JPEG"))
    (root / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    mask = Image.new("L", (40, 40))
    mask.paste(255, (10, 10, 20, 20))
    mask.save(root / "mask.png")
    return root


def asked(service: ServiceClient, folder: Path, body: Callable[[Client], Awaitable[None]]) -> None:
    """The server in this process, over the protocol."""

    async def run() -> None:
        async with (
            AsyncClient(service.base_url) as client,
            Client(build_server(client, Roots.of([folder]))) as session,
        ):
            await body(session)

    asyncio.run(asyncio.wait_for(run(), 120))


def texts(result: CallToolResult) -> str:
    return "\n".join(each.text for each in result.content if isinstance(each, TextContent))


def test_an_image_is_upscaled_beside_itself_with_a_link_and_a_preview(
    service: ServiceClient, folder: Path
) -> None:
    async def body(session: Client) -> None:
        tools = {tool.name for tool in (await session.list_tools()).tools}
        assert tools == {"upscale", "inpaint", "upscale_film", "estimate", "list_models", "job_status"}
        result = await session.call_tool("upscale", {"path": "photo.jpg", "scale": 2})
        assert not result.is_error, texts(result)
        target = folder / "photo-upscaled.png"
        with Image.open(target) as image:
            assert image.size == (80, 80)
        assert "(80x80 px" in texts(result)
        link = next(each for each in result.content if isinstance(each, ResourceLink))
        assert (link.uri, link.mime_type, link.size) == (target.as_uri(), "image/png", target.stat().st_size)
        preview = next(each for each in result.content if isinstance(each, ImageContent))
        with Image.open(io.BytesIO(base64.b64decode(preview.data))) as small:
            assert (small.format, max(small.size)) == ("JPEG", 80)

    asked(service, folder, body)


@pytest.mark.full
def test_a_hole_is_filled_and_a_film_is_a_job(service: ServiceClient, folder: Path) -> None:
    make(folder / "film.mp4", Clip(constant_rate(3)))

    async def body(session: Client) -> None:
        arguments: dict[str, Any] = {"path": "photo.jpg", "mask_path": "mask.png", "out": "filled.png"}
        assert not (await session.call_tool("inpaint", arguments)).is_error
        assert (folder / "filled.png").is_file()
        begun = await session.call_tool("upscale_film", {"path": "film.mp4", "scale": 2})
        job_id = texts(begun).split()[1]
        service.ended_job(job_id)
        ended = await session.call_tool("job_status", {"job_id": job_id, "out": "large.mp4"})
        assert "is done, 100 % done" in texts(ended)
        assert (folder / "large.mp4").stat().st_size > 500
        models = await session.call_tool("list_models", {})
        assert "pixelmend-x4" in texts(models)
        found = await session.call_tool("estimate", {"width": 100, "height": 50, "scale": 2})
        assert '"width":200' in texts(found)

    asked(service, folder, body)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"path": "../secret.jpg"}, "is outside of the folders of this server"),
        ({"path": "link.jpg"}, "is outside of the folders of this server"),
        ({"path": "/etc/passwd"}, "is outside of the folders of this server"),
        ({"path": "~no-such-user/photo.jpg"}, "~no-such-user/photo.jpg: there is no such file"),
        ({"path": "photo.jpg", "out": "/tmp/elsewhere.png"}, "is outside of the folders of this server"),
        ({"path": "https://example.org/a.jpg"}, "image_url is not taken here"),
        ({"path": "none.jpg"}, "none.jpg: there is no such file"),
        ({"path": "photo.jpg", "out": "photo.jpg"}, "the result cannot take that place"),
        ({"path": "photo.jpg", "scale": 99}, "invalid-parameter: scale='99"),
        ({"path": "photo.jpg", "model": "nothing"}, "unknown-model"),
    ],
)
def test_what_cannot_be_done_is_told_in_words(
    service: ServiceClient, folder: Path, arguments: dict[str, Any], words: str
) -> None:
    before = sorted(folder.iterdir())

    async def body(session: Client) -> None:
        result = await session.call_tool("upscale", arguments)
        assert result.is_error
        assert words in texts(result)

    asked(service, folder, body)
    assert sorted(folder.iterdir()) == before


def test_a_root_has_to_be_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="there is no such folder"):
        Roots.of([tmp_path / "none"])


def command(service: ServiceClient, folder: Path, *more: str) -> list[str]:
    return ["-m", "pixelmend.cli", "mcp", "--server", service.base_url, "--root", str(folder), *more]


def test_the_command_speaks_by_stdio(service: ServiceClient, folder: Path) -> None:
    async def run() -> None:
        server = StdioServerParameters(command=sys.executable, args=command(service, folder))
        async with Client(server) as session:
            result = await session.call_tool("upscale", {"path": "photo.jpg", "scale": 2})
            assert not result.is_error, texts(result)

    asyncio.run(asyncio.wait_for(run(), 120))
    assert (folder / "photo-upscaled.png").is_file()


@pytest.mark.full
def test_the_command_speaks_by_http(service: ServiceClient, folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = command(service, folder, "--http-port", str(port))
    process = subprocess.Popen([sys.executable, *arguments])
    try:
        deadline_s = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline_s
                assert process.poll() is None
                time.sleep(0.05)

        async def run() -> None:
            async with Client(f"http://127.0.0.1:{port}/mcp") as session:
                result = await session.call_tool("estimate", {"width": 100, "height": 50})
                assert '"width":400' in texts(result)

        asyncio.run(asyncio.wait_for(run(), 60))
    finally:
        process.terminate()
        process.wait(30)
