"""From a multipart request to work at the desk: what synchronous requests and jobs have in common."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.requests import Request

from pixelmend.errors import InvalidParameter, MalformedUpload, NotAcceptable, TaskNotOffered
from pixelmend.imaging.formats import OutputFormat
from pixelmend.models.catalog import ModelEntry
from pixelmend.serving.admission import expected_size
from pixelmend.serving.submission import Lease, Submission
from pixelmend.tasks import UpscaleTask
from pixelmend.telemetry import REQUEST_ID
from pixelmend.web.callers import Caller
from pixelmend.web.schemas import parse_form
from pixelmend.web.service import Service
from pixelmend.web.uploads import Upload, read_upload

UPSCALE = "upscale"
OFFERED_TASKS = (UPSCALE,)
MAX_IDEMPOTENCY_KEY_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Accepted:
    """The lease has to be released. file_name: as this request called the image."""

    lease: Lease
    file_name: str | None


async def submit_upscale(service: Service, request: Request, caller: Caller) -> Accepted:
    """`POST /api/upscale`: the options are the form's and the Accept header's."""
    return await _submit(service, request, caller, asked=False)


async def submit_job(service: Service, request: Request, caller: Caller) -> Accepted:
    """`POST /api/jobs`: the form names the task, and the answer is not the image that Accept is about."""
    return await _submit(service, request, caller, asked=True)


async def _submit(service: Service, request: Request, caller: Caller, *, asked: bool) -> Accepted:
    """Read, check and hand in. Raises all that a request may be refused for; nothing is left then."""
    idempotency_key = _idempotency_key(request)
    if idempotency_key is None or not await service.desk.knows(caller.owner, idempotency_key):
        service.scheduler.require_open()
        service.callers.require_quota(caller)
    job_id = secrets.token_hex(16)
    try:
        upload = await _receive(service, request, job_id)
        if asked:
            _take_task(upload.fields)
        submission = await _checked(service, request, caller, upload, job_id, asked, idempotency_key)
        lease = await service.desk.accept(submission)
    except BaseException:
        service.spool.remove(job_id)
        raise
    if lease.record.id != job_id:
        service.spool.remove(job_id)
    return Accepted(lease, upload.file_name)


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key) <= MAX_IDEMPOTENCY_KEY_LENGTH:
        raise InvalidParameter(
            f"Idempotency-Key has {len(key)} characters; 1 to {MAX_IDEMPOTENCY_KEY_LENGTH} are possible"
        )
    return key


def _take_task(fields: dict[str, str]) -> None:
    task = fields.pop("task", "").strip()
    offered = ", ".join(OFFERED_TASKS)
    if not task:
        raise InvalidParameter(f"the field 'task' is missing; there are: {offered}")
    if task == "inpaint":
        raise TaskNotOffered(f"task='inpaint' is not offered by this build; there are: {offered}")
    if task not in OFFERED_TASKS:
        raise InvalidParameter(f"task={task[:64]!r} is not known; there are: {offered}")


async def _receive(service: Service, request: Request, job_id: str) -> Upload:
    settings = service.settings
    length = request.headers.get("content-length")
    announced = int(length) if length and length.isdecimal() else 0
    # No more than the limit: what is too large for any disk of ours is a 413, not a full disk.
    await service.desk.retention.require_room(min(announced, settings.max_upload_bytes))
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


async def _checked(
    service: Service,
    request: Request,
    caller: Caller,
    upload: Upload,
    job_id: str,
    asked: bool,
    idempotency_key: str | None,
) -> Submission:
    """Check all that can be checked without decoding."""
    settings = service.settings
    form = parse_form(upload.fields)
    negotiated = OutputFormat.PNG if asked else form.format or negotiate(request.headers.get("accept"))
    options = form.options(settings.default_model, negotiated)
    catalog = service.catalog
    seen = service.loaded_model(options.model)
    path = service.spool.input_path(job_id)
    size = await asyncio.to_thread(
        expected_size, path, options, settings, catalog, seen.scale if seen else None
    )
    return Submission(
        task=UpscaleTask(job_id, path, service.spool.output_path(job_id, options.format), options),
        kind=UPSCALE,
        owner=caller.owner,
        pixels=size.pixels,
        digest=upload.digest,
        model_version=_version(catalog.get(options.model)),
        asked=asked,
        charge=lambda: service.callers.charge(caller),
        reuse=not _wants_fresh(request),
        idempotency_key=idempotency_key,
        file_name=upload.file_name,
        request_id=REQUEST_ID.get(),
    )


def _version(entry: ModelEntry) -> str:
    """Changes when another file takes a dropped-in model's place."""
    if entry.sha256 is not None:
        return entry.sha256
    found = entry.path.stat()
    return f"{found.st_size} {found.st_mtime_ns}"


def _wants_fresh(request: Request) -> bool:
    directives = request.headers.get("cache-control", "").lower().replace(" ", "").split(",")
    return "no-cache" in directives or "no-store" in directives


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
