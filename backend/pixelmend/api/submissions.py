"""From a request to submitted work: for requests that wait, for jobs and for batches, in any dialect."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from pixelmend.api.auth import Caller
from pixelmend.api.negotiation import negotiate
from pixelmend.api.receiving import Body, Form, fetched, receive
from pixelmend.api.service import Service
from pixelmend.api.uploads import Upload, UploadedFile
from pixelmend.core.errors import InvalidParameter
from pixelmend.core.telemetry import REQUEST_ID
from pixelmend.core.traces import TRACEPARENT
from pixelmend.jobs.admission import Admission
from pixelmend.jobs.delivery_rows import DeliveryKind
from pixelmend.jobs.films import admit_film
from pixelmend.jobs.intake import Incoming, digest_of, digest_of_pair, extract, plan_batch, take_masks
from pixelmend.jobs.model import BatchTask
from pixelmend.jobs.spool import ARCHIVE_SUFFIX
from pixelmend.jobs.submission import Lease, Submission
from pixelmend.jobs.unpacking import UnpackLimits
from pixelmend.tasks.form import parse_fields
from pixelmend.tasks.image import ImageTask
from pixelmend.tasks.options import ImageOptions
from pixelmend.tasks.recipes import FIELD, Recipes
from pixelmend.tasks.registry import TaskRegistry
from pixelmend.tasks.task import JobKind, Task

MAX_IDEMPOTENCY_KEY_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Accepted:
    """The lease has to be released. file_name: as this request called the image."""

    lease: Lease
    file_name: str | None


async def submit(
    service: Service, request: Request, caller: Caller, kind: JobKind, body: Body | None = None
) -> Accepted:
    """The request waits for the result. Options are the form's and, but for batches, the Accept header's.

    body: how the request says what it wants; None for our own form.
    """
    return await _Intake(service, request, caller, body or Form()).submit(kind)


async def submit_job(service: Service, request: Request, caller: Caller) -> Accepted:
    """`POST /api/jobs`: the form names the task, and the answer is not the image that Accept is about."""
    return await _Intake(service, request, caller, Form(is_async=True)).submit(None)


class _Intake:
    """One request on its way in."""

    def __init__(self, service: Service, request: Request, caller: Caller, body: Body) -> None:
        self._service = service
        self._request = request
        self._caller = caller
        self._body = body
        self._job_id = _new_id(service.settings.instance)
        self._input = service.spool.input_path(self._job_id)
        self._mask = service.spool.mask_path(self._job_id)

    async def submit(self, kind: JobKind | None) -> Accepted:
        """Read, check and submit. Raises what a request may be refused for; nothing is left then.

        kind: None if the form names it.
        """
        service = self._service
        key = _idempotency_key(self._request)
        if key is None or not await service.jobs.knows(self._caller.owner, key):
            service.readiness.require_open(self._caller.owner)
            service.callers.require_quota(self._caller)
        try:
            upload = await receive(service, self._request, self._body, kind, self._job_id)
            deliver_to = {} if kind else service.deliveries.taken(upload.fields)
            kind = kind or _named_kind(upload, service.tasks, service.recipes)
            if not kind.is_batch:
                upload = await fetched(service, upload, kind, self._job_id)
            if kind.is_batch:
                submission = await self._batch(upload, kind, key)
            else:
                submission = await self._single(upload, kind, key)
            lease = await self._submitted(submission, deliver_to)
        except BaseException:
            await asyncio.to_thread(service.spool.remove, self._job_id)
            raise
        if lease.record.id != self._job_id:
            await asyncio.to_thread(service.spool.remove, self._job_id)
        return Accepted(lease, submission.file_name)

    async def _submitted(self, submission: Submission, deliver_to: Mapping[DeliveryKind, str]) -> Lease:
        lease = await self._service.jobs.submit(submission)
        try:
            await self._service.deliveries.add(lease.record.id, deliver_to)
        except BaseException:
            lease.release()
            raise
        return lease

    def _options(self, fields: dict[str, Any], kind: JobKind) -> ImageOptions:
        form = parse_fields(kind.task.form, self._service.recipes.applied(fields, kind.task))
        as_asked, formats = self._body.is_async or kind.is_batch, self._service.formats
        negotiated = (
            formats.outputs[0].name
            if as_asked or form.format
            else negotiate(self._request.headers.get("accept"), formats).name
        )
        return form.options(self._service.default_models, negotiated)

    # --- checking: all that can be checked without decoding -----------------------------------------------

    async def _single(self, upload: Upload, kind: JobKind, key: str | None) -> Submission:
        file, mask_field = upload.one("file"), kind.mask_field
        if kind.task.takes_video:
            return await self._film(upload, file, kind, key)
        digest, mask_path = file.digest, None
        if mask_field is not None:
            digest, mask_path = digest_of_pair(digest, upload.one(mask_field).digest), self._mask
        admission = self._admission(kind.task, self._options(upload.fields, kind))
        size = await asyncio.to_thread(admission.size_of, self._input, mask_path)
        output = self._service.spool.output_path(self._job_id, admission.output_format.suffix)
        return self._submission(
            ImageTask(self._job_id, self._input, output, admission.options, admission.steps, mask_path),
            kind,
            admission,
            key,
            pixels=size.pixels,
            digest=digest,
            file_name=file.file_name,
        )

    async def _film(self, upload: Upload, file: UploadedFile, kind: JobKind, key: str | None) -> Submission:
        service, spool = self._service, self._service.spool
        film = await asyncio.to_thread(
            admit_film,
            self._input,
            self._options(upload.fields, kind),
            service.videos,
            lambda options: self._admission(kind.task, options),
        )
        await service.jobs.retention.require_room(film.peak_bytes)
        output = spool.output_path(self._job_id, film.admission.output_format.suffix)
        return self._submission(
            film.task(self._job_id, self._input, output, spool.parts_path(self._job_id)),
            kind,
            film.admission,
            key,
            pixels=film.pixels,
            digest=file.digest,
            file_name=file.file_name,
            charged=-(-film.pixels // service.settings.max_output_pixels),
        )

    async def _batch(self, upload: Upload, kind: JobKind, key: str | None) -> Submission:
        settings = self._service.settings
        limits = UnpackLimits(settings.max_batch_items, settings.max_batch_bytes, settings.max_upload_bytes)
        sent, mask_field = _incoming(upload.many("files")), kind.mask_field
        sent_masks = None if mask_field is None else _incoming(upload.many(mask_field))
        admission = self._admission(kind.task, self._options(upload.fields, kind))
        # Masks first: a ZIP of images takes the place of the numbers.
        masks = None
        if sent_masks is not None:
            masks = await asyncio.to_thread(take_masks, self._input, sent_masks, limits)
        received = await asyncio.to_thread(extract, self._input, sent, limits)
        output = self._service.spool.output_path(self._job_id, ARCHIVE_SUFFIX)
        task = await asyncio.to_thread(
            plan_batch,
            self._job_id,
            self._input,
            output,
            received,
            admission,
            self._service.log,
            fresh=self._wants_fresh,
            masks=masks,
        )
        return self._submission(
            task,
            kind,
            admission,
            key,
            pixels=sum(item.pixels for item in task.items),
            digest=digest_of(task.items),
            charged=len(task.items),
        )

    def _submission(
        self,
        task: ImageTask | BatchTask,
        kind: JobKind,
        admission: Admission,
        key: str | None,
        *,
        pixels: int,
        digest: str,
        file_name: str | None = None,
        charged: int = 1,
    ) -> Submission:
        return Submission(
            task=task,
            kind=kind.name,
            owner=self._caller.owner,
            pixels=pixels,
            digest=digest,
            model_version=admission.versions,
            is_async=self._body.is_async,
            charge=lambda: self._service.callers.charge(self._caller, charged),
            reuse=not self._wants_fresh,
            idempotency_key=key,
            file_name=file_name,
            request_id=REQUEST_ID.get(),
            traceparent=TRACEPARENT.get(),
        )

    def _admission(self, task: Task, options: ImageOptions) -> Admission:
        seen = self._service.loaded_model(options.main_model)
        service = self._service
        return Admission.of(task, options, service.settings, service.catalog, seen, service.formats)

    @property
    def _wants_fresh(self) -> bool:
        header = self._request.headers.get("cache-control", "")
        directives = header.lower().replace(" ", "").split(",")
        return "no-cache" in directives or "no-store" in directives


def _named_kind(upload: Upload, tasks: TaskRegistry, recipes: Recipes) -> JobKind:
    name = upload.fields.pop("task", "").strip()
    recipe = upload.fields.get(FIELD, "").strip()
    if not name and recipe:
        name = recipes.get(recipe).task
    if not name:
        raise InvalidParameter(f"the field 'task' is missing; there are: {', '.join(tasks.kinds)}")
    kind = tasks.kind(name)
    for field in upload.files:
        if field not in kind.file_fields:
            wanted = " and ".join(repr(each) for each in kind.file_fields)
            raise InvalidParameter(f"task={name!r} takes the field {wanted}, not {field!r}")
    return kind


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key) <= MAX_IDEMPOTENCY_KEY_LENGTH:
        raise InvalidParameter(
            f"Idempotency-Key has {len(key)} characters; 1 to {MAX_IDEMPOTENCY_KEY_LENGTH} are possible"
        )
    return key


def _new_id(instance: str) -> str:
    return f"{instance}-{secrets.token_hex(16)}" if instance else secrets.token_hex(16)


def _incoming(files: Sequence[UploadedFile]) -> list[Incoming]:
    return [Incoming(file.file_name or "image", file.digest) for file in files]
