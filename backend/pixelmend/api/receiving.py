"""From a request's body to files in the spool and fields: our own form, or another program's way to ask."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Protocol

from starlette.requests import Request

from pixelmend.api.fetching import with_fetched
from pixelmend.api.file_fields import file_fields
from pixelmend.api.service import Service
from pixelmend.api.uploads import Bound, FileField, Upload, counted, read_upload, widest
from pixelmend.core.errors import MalformedUpload
from pixelmend.tasks.task import JobKind


class ReadUpload(Protocol):
    """As `read_upload` of api/uploads.py, whatever the body is written in."""

    async def __call__(
        self,
        content_type: str,
        content_length: str | None,
        chunks: AsyncIterator[bytes],
        file_fields: Mapping[str, FileField],
        on_received: Callable[[int], None],
        /,
    ) -> Upload: ...


class Body(Protocol):
    """How one request says what is to be done."""

    @property
    def read(self) -> ReadUpload:
        """Takes the body apart."""

    @property
    def is_async(self) -> bool:
        """The work goes on when no request waits for it; known once the body was understood."""

    def file_fields(self, ours: Mapping[str, FileField]) -> Mapping[str, FileField]:
        """The fields that take files, by their names in this body. ours: by the names that we use."""

    def understand(self, upload: Upload, image: Path, mask: Path) -> Upload:
        """The same in the words of our forms. image, mask: where the files lie.

        Runs in a thread of its own. Raises what the body may be refused for.
        """


class Form:
    """Our own."""

    read: ReadUpload = staticmethod(read_upload)

    def __init__(self, *, is_async: bool = False) -> None:
        self.is_async = is_async

    def file_fields(self, ours: Mapping[str, FileField]) -> Mapping[str, FileField]:
        return ours

    def understand(self, upload: Upload, image: Path, mask: Path) -> Upload:
        return upload


async def receive(
    service: Service, request: Request, body: Body, kind: JobKind | None, job_id: str
) -> Upload:
    """Read the body into the job's place in the spool; what it says, in the words of our forms.

    kind: None if the form names it. Raises what the body may be refused for; the caller removes what lies
    there.
    """
    settings, spool = service.settings, service.spool
    image, mask = spool.input_path(job_id), spool.mask_path(job_id)
    ours = file_fields(service, image, mask, kind)
    length = request.headers.get("content-length")
    most = widest(ours.values()).max_bytes
    # No more than the limit: what is too large for any disk of ours is a 413, not a full disk.
    expected = min(int(length), most) if length and length.isdecimal() else 0
    await service.jobs.retention.require_room(expected)
    begun_s = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(settings.upload_timeout_s) as deadline:

            def on_received(received_bytes: int) -> None:
                # By what has come and not by what was announced, which may be anything or nothing.
                share = max(1.0, received_bytes / settings.max_upload_bytes)
                deadline.reschedule(begun_s + settings.upload_timeout_s * share)
                spool.require_room()

            upload = await body.read(
                request.headers.get("content-type", ""),
                length,
                _chunks(request),
                body.file_fields(ours),
                on_received,
            )
    except TimeoutError as error:
        raise MalformedUpload(
            f"the upload was too slow; upload_timeout_s={settings.upload_timeout_s:g} "
            f"for each {settings.max_upload_bytes} bytes"
        ) from error
    return await asyncio.to_thread(body.understand, upload, image, mask)


async def fetched(service: Service, upload: Upload, kind: JobKind, job_id: str) -> Upload:
    """The upload with the file at its `image_url`, if it has one. Raises what a file may be refused for."""
    settings, spool = service.settings, service.spool
    fields = file_fields(service, spool.input_path(job_id), spool.mask_path(job_id), None)
    into = fields["file"].for_task(kind.task.name)
    timeout_s = settings.upload_timeout_s * max(1.0, into.max_bytes / settings.max_upload_bytes)
    return await with_fetched(upload, service.fetching, into, timeout_s, lambda _: spool.require_room())


async def discard(service: Service, request: Request) -> None:
    """Read a body of which nothing is wanted: a sender that is cut off hears of no answer.

    Raises PayloadTooLarge, and MalformedUpload if it does not end in time.
    """
    settings = service.settings
    bound = Bound(settings.max_upload_bytes, f"max_upload_bytes={settings.max_upload_bytes}")
    length = request.headers.get("content-length")
    try:
        async with asyncio.timeout(settings.upload_timeout_s):
            async for _ in counted(_chunks(request), length, lambda: bound, lambda _: None):
                pass
    except TimeoutError as error:
        raise MalformedUpload(
            f"the body did not end within upload_timeout_s={settings.upload_timeout_s:g}"
        ) from error


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        if chunk:
            yield chunk
