"""From a multipart request to work at the desk, for requests that wait, jobs and batches alike."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request

from pixelmend.errors import InvalidParameter, MalformedUpload, NotAcceptable, TaskNotOffered
from pixelmend.imaging.formats import OutputFormat
from pixelmend.serving.admission import Admission
from pixelmend.serving.batch_run import UPSCALE
from pixelmend.serving.batches import BATCH
from pixelmend.serving.intake import Incoming, digest_of, plan_batch, take_out
from pixelmend.serving.store import ARCHIVE_SUFFIX
from pixelmend.serving.submission import Lease, Submission, model_version
from pixelmend.serving.unpacking import UnpackLimits
from pixelmend.tasks import UpscaleOptions, UpscaleTask
from pixelmend.telemetry import REQUEST_ID
from pixelmend.web.callers import Caller
from pixelmend.web.forms import parse_form
from pixelmend.web.service import Service
from pixelmend.web.uploads import FileField, Upload, read_upload

OFFERED_TASKS = (UPSCALE, BATCH)
MAX_IDEMPOTENCY_KEY_LENGTH = 255
ONE, MANY = "file", "files"
"""The fields for one image and for many."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The lease has to be released. file_name: as this request called the image."""

    lease: Lease
    file_name: str | None


async def submit_upscale(service: Service, request: Request, caller: Caller) -> Accepted:
    """`POST /api/upscale`: the options are the form's and the Accept header's."""
    return await _Intake(service, request, caller, asked=False).submit(UPSCALE)


async def submit_batch(service: Service, request: Request, caller: Caller) -> Accepted:
    """`POST /api/upscale-batch`: the answer is an archive, which Accept has no say in."""
    return await _Intake(service, request, caller, asked=False).submit(BATCH)


async def submit_job(service: Service, request: Request, caller: Caller) -> Accepted:
    """`POST /api/jobs`: the form names the task, and the answer is not the image that Accept is about."""
    return await _Intake(service, request, caller, asked=True).submit(None)


class _Intake:
    """One request on its way in."""

    def __init__(self, service: Service, request: Request, caller: Caller, *, asked: bool) -> None:
        self._service = service
        self._request = request
        self._caller = caller
        self._asked = asked
        self._job_id = secrets.token_hex(16)
        self._input = service.spool.input_path(self._job_id)

    async def submit(self, task: str | None) -> Accepted:
        """Read, check and hand in. Raises all that a request may be refused for; nothing is left then.

        task: None where the form names it.
        """
        service = self._service
        key = _idempotency_key(self._request)
        if key is None or not await service.desk.knows(self._caller.owner, key):
            service.scheduler.require_open()
            service.callers.require_quota(self._caller)
        try:
            upload = await self._receive(self._file_fields(task))
            kind = task or _take_task(upload)
            options = self._options(upload.fields, kind)
            if kind == BATCH:
                submission = await self._batch(upload, options, key)
            else:
                submission = await self._single(upload, options, key)
            lease = await service.desk.accept(submission)
        except BaseException:
            await asyncio.to_thread(service.spool.remove, self._job_id)
            raise
        if lease.record.id != self._job_id:
            await asyncio.to_thread(service.spool.remove, self._job_id)
        return Accepted(lease, submission.file_name)

    # --- reading ----------------------------------------------------------------------------------------

    def _file_fields(self, task: str | None) -> dict[str, FileField]:
        settings = self._service.settings
        one = FileField(lambda _: self._input, settings.max_upload_bytes, "max_upload_bytes")
        many = FileField(
            self._path_in_batch, settings.max_batch_bytes, "max_batch_bytes", settings.max_batch_items
        )
        fields = {UPSCALE: {ONE: one}, BATCH: {MANY: many}, None: {ONE: one, MANY: many}}
        return fields[task]

    def _path_in_batch(self, n: int) -> Path:
        self._input.mkdir(exist_ok=True)
        return self._input / str(n)

    async def _receive(self, file_fields: Mapping[str, FileField]) -> Upload:
        settings = self._service.settings
        length = self._request.headers.get("content-length")
        most = max(taken.max_bytes for taken in file_fields.values())
        # No more than the limit: what is too large for any disk of ours is a 413, not a full disk.
        expected = min(int(length), most) if length and length.isdecimal() else 0
        await self._service.desk.retention.require_room(expected)
        # A batch may take as much longer as it may be larger.
        timeout_s = settings.upload_timeout_s * max(1.0, (expected or most) / settings.max_upload_bytes)
        try:
            async with asyncio.timeout(timeout_s):
                return await read_upload(
                    self._request.headers.get("content-type", ""),
                    length,
                    _chunks(self._request),
                    file_fields,
                )
        except TimeoutError as error:
            raise MalformedUpload(
                f"the upload did not end within {timeout_s:g} s; "
                f"upload_timeout_s={settings.upload_timeout_s:g} for each {settings.max_upload_bytes} bytes"
            ) from error

    def _options(self, fields: dict[str, str], kind: str) -> UpscaleOptions:
        form = parse_form(fields)
        as_asked = self._asked or kind == BATCH
        negotiated = (
            OutputFormat.PNG if as_asked else form.format or negotiate(self._request.headers.get("accept"))
        )
        model = form.model_or(self._service.settings.default_model, self._service.catalog)
        return form.options(model, negotiated)

    # --- checking: all that can be checked without decoding -----------------------------------------------

    async def _single(self, upload: Upload, options: UpscaleOptions, key: str | None) -> Submission:
        file = upload.file
        admission = self._admission(options)
        size = await asyncio.to_thread(admission.size_of, self._input)
        output = self._service.spool.output_path(self._job_id, options.format.suffix)
        return Submission(
            task=UpscaleTask(self._job_id, self._input, output, options),
            kind=UPSCALE,
            owner=self._caller.owner,
            pixels=size.pixels,
            digest=file.digest,
            model_version=model_version(admission.model),
            asked=self._asked,
            charge=lambda: self._service.callers.charge(self._caller),
            reuse=not self._wants_fresh,
            idempotency_key=key,
            file_name=file.file_name,
            request_id=REQUEST_ID.get(),
        )

    async def _batch(self, upload: Upload, options: UpscaleOptions, key: str | None) -> Submission:
        settings = self._service.settings
        limits = UnpackLimits(settings.max_batch_items, settings.max_batch_bytes, settings.max_upload_bytes)
        # A page that sends its form before any file was chosen sends one without a name.
        if not any(file.file_name or file.size_bytes for file in upload.files):
            raise InvalidParameter(f"the field {MANY!r} with the images, or a ZIP of them, is missing")
        sent = [Incoming(file.file_name or "image", file.digest) for file in upload.files]
        admission = self._admission(options)
        received = await asyncio.to_thread(take_out, self._input, sent, limits)
        output = self._service.spool.output_path(self._job_id, ARCHIVE_SUFFIX)
        task = await asyncio.to_thread(
            plan_batch, self._job_id, self._input, output, received, admission, fresh=self._wants_fresh
        )
        items = len(task.items)
        return Submission(
            task=task,
            kind=BATCH,
            owner=self._caller.owner,
            pixels=sum(item.pixels for item in task.items),
            digest=digest_of(task.items),
            model_version=model_version(admission.model),
            asked=self._asked,
            charge=lambda: self._service.callers.charge(self._caller, items),
            reuse=not self._wants_fresh,
            idempotency_key=key,
            file_name=None,
            request_id=REQUEST_ID.get(),
        )

    def _admission(self, options: UpscaleOptions) -> Admission:
        seen = self._service.loaded_model(options.model)
        return Admission.of(
            options, self._service.settings, self._service.catalog, seen.scale if seen else None
        )

    @property
    def _wants_fresh(self) -> bool:
        header = self._request.headers.get("cache-control", "")
        directives = header.lower().replace(" ", "").split(",")
        return "no-cache" in directives or "no-store" in directives


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key) <= MAX_IDEMPOTENCY_KEY_LENGTH:
        raise InvalidParameter(
            f"Idempotency-Key has {len(key)} characters; 1 to {MAX_IDEMPOTENCY_KEY_LENGTH} are possible"
        )
    return key


def _take_task(upload: Upload) -> str:
    task = upload.fields.pop("task", "").strip()
    offered = ", ".join(OFFERED_TASKS)
    if not task:
        raise InvalidParameter(f"the field 'task' is missing; there are: {offered}")
    if task == "inpaint":
        raise TaskNotOffered(f"task='inpaint' is not offered by this build; there are: {offered}")
    if task not in OFFERED_TASKS:
        raise InvalidParameter(f"task={task[:64]!r} is not known; there are: {offered}")
    wanted = MANY if task == BATCH else ONE
    if upload.file_field not in (None, wanted):
        raise InvalidParameter(f"task={task!r} takes the field {wanted!r}, not {upload.file_field!r}")
    return task


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        if chunk:
            yield chunk


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
