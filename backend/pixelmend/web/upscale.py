"""`POST /api/upscale`: a job that somebody waits for."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import PurePosixPath
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from pixelmend.errors import Cancelled, DeadlineExceeded, InternalError, MalformedUpload, NotAcceptable
from pixelmend.imaging.formats import OutputFormat
from pixelmend.serving.admission import expected_size
from pixelmend.serving.jobs import Job
from pixelmend.tasks import UpscaleOptions, UpscaleReport, UpscaleTask
from pixelmend.telemetry import REQUEST_ID
from pixelmend.web.schemas import Problem, parse_form, upscale_request_body
from pixelmend.web.service import Service
from pixelmend.web.uploads import Upload, read_upload

_PROBLEMS = (400, 404, 406, 413, 415, 422, 500, 503, 504)


def upscale_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["upscale"])

    @router.post(
        "/api/upscale",
        summary="Enlarge an image and answer it",
        response_class=Response,
        responses={
            200: {"content": {f.media_type: {} for f in OutputFormat}, "description": "The enlarged image."},
            **{status: {"model": Problem} for status in _PROBLEMS},
        },
        openapi_extra=upscale_request_body(),
    )
    async def upscale(request: Request) -> Response:
        service.scheduler.require_open()
        job_id = uuid.uuid4().hex
        try:
            upload = await _receive(service, request, job_id)
            job = await _accept(service, request, upload, job_id)
            await _wait(service, request, job)
        except BaseException:
            service.spool.remove(job_id)
            raise
        return _answer(service, job, upload.file_name)

    return router


async def _receive(service: Service, request: Request, job_id: str) -> Upload:
    settings = service.settings
    length = request.headers.get("content-length")
    announced = int(length) if length and length.isdecimal() else 0
    # No more than the limit: what is too large for any disk of ours is a 413, not a full disk.
    service.spool.require_room(min(announced, settings.max_upload_bytes))
    try:
        async with asyncio.timeout(settings.upload_timeout_s):
            return await read_upload(
                request.headers.get("content-type", ""),
                length,
                _chunks(request),
                service.spool.input_path(job_id),
                max_bytes=settings.max_upload_bytes,
            )
    except TimeoutError as error:
        raise MalformedUpload(
            f"the upload did not end within upload_timeout_s={settings.upload_timeout_s:g}"
        ) from error


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        if chunk:
            yield chunk


async def _accept(service: Service, request: Request, upload: Upload, job_id: str) -> Job:
    """Check all that can be checked without decoding, then queue the job."""
    settings = service.settings
    form = parse_form(upload.fields)
    negotiated = form.format or negotiate(request.headers.get("accept"))
    options = form.options(settings.default_model, negotiated)
    seen = service.loaded_model(options.model)
    path = service.spool.input_path(job_id)
    size = await asyncio.to_thread(
        expected_size, path, options, settings, service.catalog, seen.scale if seen else None
    )
    task = UpscaleTask(job_id, path, service.spool.output_path(job_id, options.format), options)
    return service.scheduler.submit(
        task, pixels=size.pixels, digest=upload.digest, request_id=REQUEST_ID.get()
    )


async def _wait(service: Service, request: Request, job: Job) -> None:
    """Until the job ends, the deadline passes or the client goes. Raises what the job ended with."""
    timeout_s = service.settings.request_timeout_s
    ended = asyncio.create_task(job.ended.wait())
    gone = asyncio.create_task(_disconnected(request))
    try:
        done, _ = await asyncio.wait({ended, gone}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if ended not in done:
            if gone in done:
                service.scheduler.cancel(job, Cancelled("the client went away"))
                raise ClientDisconnect
            service.scheduler.cancel(
                job, DeadlineExceeded(f"not finished within request_timeout_s={timeout_s:g}")
            )
    except asyncio.CancelledError:
        service.scheduler.cancel(job)
        raise
    finally:
        for waiting in (ended, gone):
            waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await waiting
    if job.error is not None:
        raise job.error


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def negotiate(accept: str | None) -> OutputFormat:
    """The output format where no `format` field names one: PNG where the client takes it.

    Raises NotAcceptable naming the header and what there is.
    """
    if accept is None or not accept.strip():
        return OutputFormat.PNG
    ranges: dict[str, float] = {}
    for part in accept.split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                with contextlib.suppress(ValueError):
                    weight = float(parameter[2:])
        ranges[media.lower()] = weight

    def weight_of(output: OutputFormat) -> float:
        return ranges.get(output.media_type, ranges.get("image/*", ranges.get("*/*", 0.0)))

    # max keeps the first of equals, and PNG, which loses nothing, is the first.
    best = max(OutputFormat, key=weight_of)
    if weight_of(best) <= 0:
        offered = ", ".join(f.media_type for f in OutputFormat)
        raise NotAcceptable(f"Accept is {accept[:120]!r}; there are: {offered}")
    return best


class _SpooledFile(FileResponse):
    """A result that leaves the spool once it is sent, or once the client is gone."""

    def __init__(self, path: str, *, headers: dict[str, str], media_type: str, release: Callable[[], None]):
        super().__init__(path, headers=headers, media_type=media_type)
        self._release = release

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._release()


def _answer(service: Service, job: Job, file_name: str | None) -> Response:
    if job.report is None:
        raise InternalError(f"job {job.id} ended without a report")
    options = job.task.options
    headers = provenance_headers(job.report)
    headers["Content-Disposition"] = content_disposition(file_name, options, job.report)
    headers["Cache-Control"] = "no-store"
    return _SpooledFile(
        str(job.task.output_path),
        headers=headers,
        media_type=options.format.media_type,
        release=lambda: service.spool.remove(job.id),
    )


def provenance_headers(report: UpscaleReport) -> dict[str, str]:
    """How the result came about, for whoever wants to know or to reproduce it."""
    headers = {
        "X-Pixelmend-Model": report.model,
        "X-Pixelmend-Model-SHA256": report.model_sha256,
        "X-Pixelmend-Device": f"{report.device_type}; {report.device_name}",
        "X-Pixelmend-Precision": report.precision,
        "X-Pixelmend-Size": f"{report.width_px}x{report.height_px}",
        "X-Pixelmend-Tiles": f"{report.tiles}; px={report.tile_size}",
        "X-Pixelmend-Seconds": f"{report.total_s:.3f}",
        "Server-Timing": ", ".join(
            f"{name};dur={seconds * 1000:.1f}"
            for name, seconds in (
                ("decode", report.decode_s),
                ("device", report.device_s),
                ("encode", report.encode_s),
            )
        ),
    }
    if report.not_kept:
        headers["X-Pixelmend-Not-Kept"] = ", ".join(report.not_kept)
    if report.notes:
        headers["X-Pixelmend-Notes"] = "; ".join(report.notes)
    return {name: _header_safe(value) for name, value in headers.items()}


def content_disposition(file_name: str | None, options: UpscaleOptions, report: UpscaleReport) -> str:
    stem = PurePosixPath((file_name or "image").replace("\\", "/")).stem or "image"
    name = f"{stem}-{report.width_px}x{report.height_px}{options.format.suffix}"
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


def _header_safe(value: str) -> str:
    return "".join(c if 32 <= ord(c) < 127 else "?" for c in value)[:2000]
