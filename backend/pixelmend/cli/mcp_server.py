"""`pixelmend mcp`: a service's work as tools of the Model Context Protocol, for assistants and editors."""

import asyncio
import mimetypes
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ContentBlock, ImageContent, ResourceLink, TextContent

from pixelmend.cli.preview import preview_of
from pixelmend.client import AsyncClient, Job
from pixelmend.core.errors import InvalidParameter, PixelmendError
from pixelmend.core.version import VERSION
from pixelmend.imaging.names import safe_stem
from pixelmend.video.codecs import VIDEO_SUFFIXES

INSTRUCTIONS = """Upscales images and films, and removes objects from images. Files are named by their paths,
which have to lie in the folders that this server was given; results are written beside their sources or to
`out`."""

Format = Literal["png", "jpeg", "webp", "avif", "tiff"]


@dataclass(frozen=True, slots=True)
class Roots:
    """The folders in which files may be read and written."""

    folders: tuple[Path, ...]

    @classmethod
    def of(cls, folders: Sequence[Path]) -> "Roots":
        """Raises InvalidParameter for what is no folder."""
        for folder in folders:
            if not folder.is_dir():
                raise InvalidParameter(f"--root {folder}: there is no such folder")
        return cls(tuple(folder.resolve() for folder in folders))

    def inside(self, path: str) -> Path:
        """The path with its links followed. Raises InvalidParameter if it lies elsewhere."""
        given = Path(path)
        with suppress(RuntimeError):  # ~name, if there is no such user
            given = given.expanduser()
        found = (given if given.is_absolute() else self.folders[0] / given).resolve()
        if not any(found.is_relative_to(folder) for folder in self.folders):
            known = ", ".join(map(str, self.folders))
            raise InvalidParameter(f"{path} is outside of the folders of this server: {known}")
        return found


def build_server(client: AsyncClient, roots: Roots) -> MCPServer[Any]:
    server: MCPServer[Any] = MCPServer(
        "pixelmend", title="Pixelmend", instructions=INSTRUCTIONS, version=VERSION, log_level="ERROR"
    )
    tools = _Tools(client, roots)
    for tool in (
        tools.upscale,
        tools.inpaint,
        tools.upscale_film,
        tools.estimate,
        tools.list_models,
        tools.job_status,
    ):
        server.add_tool(tool, structured_output=False)
    return server


class _Tools:
    """Their docstrings are what assistants read. Errors become tool errors with the service's own words."""

    def __init__(self, client: AsyncClient, roots: Roots) -> None:
        self._client = client
        self._roots = roots

    async def upscale(
        self,
        path: str,
        context: Context[Any, Any],
        scale: float | None = None,
        width: int | None = None,
        height: int | None = None,
        model: str | None = None,
        output_format: Format = "png",
        out: str | None = None,
    ) -> list[ContentBlock]:
        """Upscale an image by a factor (1 to 8), or to an exact width or height in pixels.

        path: the image, or its http or https address if the service reads some. out: where the result goes;
        by default beside the image. Returns a link to the result and a small preview of it.
        """
        source = self._source(path)
        fields = {"scale": scale, "width": width, "height": height, "model": model, "format": output_format}
        target = self._target(out, source, f"-upscaled.{output_format}")
        return await self._run("upscale", source, target, context, None, fields)

    async def inpaint(
        self,
        path: str,
        mask_path: str,
        context: Context[Any, Any],
        output_format: Format = "png",
        model: str | None = None,
        out: str | None = None,
    ) -> list[ContentBlock]:
        """Remove from an image what a mask marks: white, or transparent if the mask has transparency.

        mask_path: an image of the same shape. Returns a link to the result and a small preview of it.
        """
        source, mask = self._source(path), self._file(mask_path)
        target = self._target(out, source, f"-inpainted.{output_format}")
        fields = {"model": model, "format": output_format}
        return await self._run("inpaint", source, target, context, mask, fields)

    async def upscale_film(
        self,
        path: str,
        scale: float | None = None,
        height: int | None = None,
        codec: str | None = None,
        start: float = 0.0,
        seconds: float | None = None,
    ) -> list[ContentBlock]:
        """Begin to upscale a film, which takes long; ask `job_status` for it, with `out` to fetch the result.

        start, seconds: a part of the film, to try.
        """
        source = self._file(path)
        if source.suffix.lower() not in VIDEO_SUFFIXES:
            raise ToolError(f"{source.name} is no film by its name")
        fields = {"scale": scale, "height": height, "codec": codec, "start": start, "seconds": seconds}
        with _as_tool_errors():
            job = await self._client.upload("upscale-video", source, **_given(fields))
        return [TextContent(text=_told(job))]

    async def estimate(self, width: int, height: int, scale: float | None = None) -> list[ContentBlock]:
        """What it would take to upscale an image of that size in pixels: seconds, memory, and whether it
        would be refused.
        """
        with _as_tool_errors():
            found = await self._client.estimate(width, height, **_given({"scale": scale}))
        return [TextContent(text=found.model_dump_json(exclude_none=True))]

    async def list_models(self) -> list[ContentBlock]:
        """The models that there are, with their tasks and scales."""
        with _as_tool_errors():
            models = await self._client.models()
        return [TextContent(text="\n".join(model.model_dump_json(exclude_none=True) for model in models))]

    async def job_status(self, job_id: str, out: str | None = None) -> list[ContentBlock]:
        """How a job is; with `out`, the result of one that is done is written there."""
        with _as_tool_errors():
            job = await self._client.job(job_id)
            if out is None or job.result is None:
                return [TextContent(text=_told(job))]
            target = self._roots.inside(out)
            await self._client.download(job, target)
        return [TextContent(text=_told(job)), _link(target)]

    async def _run(
        self,
        task: str,
        source: Path | str,
        target: Path,
        context: Context[Any, Any],
        mask: Path | None,
        fields: dict[str, Any],
    ) -> list[ContentBlock]:
        with _as_tool_errors():
            if isinstance(source, str):
                job = await self._client.upload(task, None, mask=mask, image_url=source, **_given(fields))
            else:
                job = await self._client.upload(task, source, mask=mask, **_given(fields))
            await context.report_progress(0, 1)
            done = await self._client.wait(job)
            await self._client.download(done, target)
        await context.report_progress(1, 1)
        size = done.result
        words = "" if size is None else f" ({size.width}x{size.height} px, {size.size_bytes} bytes)"
        return [
            TextContent(text=f"{target}{words}, job {done.id}"),
            _link(target),
            *_previews(target),
        ]

    def _source(self, path: str) -> Path | str:
        """A file, or an address as it is."""
        if path.startswith(("http://", "https://")):
            return path
        return self._file(path)

    def _file(self, path: str) -> Path:
        with _as_tool_errors():
            found = self._roots.inside(path)
            if not found.is_file():
                raise InvalidParameter(f"{path}: there is no such file")
        return found

    def _target(self, out: str | None, source: Path | str, mark: str) -> Path:
        if isinstance(source, str):
            name = safe_stem(source.rsplit("/", 1)[-1].partition("?")[0])
            source = self._roots.folders[0] / name
        with _as_tool_errors():
            target = self._roots.inside(out or str(source.with_name(source.stem + mark)))
            if target == source or target.is_dir():
                raise InvalidParameter(f"out={out}: the result cannot take that place")
        return target


@contextmanager
def _as_tool_errors() -> Iterator[None]:
    try:
        yield
    except PixelmendError as error:
        raise ToolError(f"{error.code}: {error.message}") from error
    except OSError as error:
        raise ToolError(f"{error.filename or 'a file'}: {error.strerror}") from error


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _told(job: Job) -> str:
    progress = job.progress
    eta = "" if job.eta_s is None or job.has_ended else f", about {job.eta_s:.0f} s left"
    why = f": {job.problem.detail}" if job.problem else ""
    return f"job {job.id} is {job.state}, {100 * progress.fraction:.0f} % done{eta}{why}"


def _link(path: Path) -> ResourceLink:
    kind, _ = mimetypes.guess_type(path.name)
    return ResourceLink(name=path.name, uri=path.as_uri(), mime_type=kind, size=path.stat().st_size)


def _previews(path: Path) -> list[ContentBlock]:
    data = preview_of(path)
    return [] if data is None else [ImageContent(data=b64encode(data).decode(), mime_type="image/jpeg")]


def serve_mcp(url: str, key: str | None, roots: Roots, http_port: int | None) -> None:
    """Until the other side ends, or Ctrl-C. http_port: None for stdio. Raises InvalidParameter."""

    async def run() -> None:
        async with AsyncClient(url, key) as client:
            server = build_server(client, roots)
            if http_port is None:
                await server.run_stdio_async()
            else:
                await server.run_streamable_http_async(host="127.0.0.1", port=http_port)

    asyncio.run(run())
