"""`POST /api/upscale-batch`, `/api/inpaint-batch` and so on: many images in, one growing archive out."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from pixelmend.api.queries import known_query
from pixelmend.api.results import SpooledArchive, archive_headers
from pixelmend.api.routes.tasks import add_task_route
from pixelmend.api.service import Service
from pixelmend.api.submissions import submit
from pixelmend.api.views import ARCHIVE_MEDIA_TYPE
from pixelmend.core.error_codes import error_from_code
from pixelmend.core.errors import Cancelled, InternalError, WrongJobState
from pixelmend.jobs.model import Job, JobState
from pixelmend.jobs.submission import Lease
from pixelmend.tasks.task import JobKind

_PROBLEMS = (400, 401, 403, 404, 409, 413, 422, 429, 500, 503)
_SENT_AT_ONCE_BYTES = 1 << 18


def batches_router(service: Service) -> APIRouter:
    router = APIRouter(dependencies=[Depends(known_query)], tags=["images"])
    success = {
        "content": {ARCHIVE_MEDIA_TYPE: {}},
        "description": "The results and manifest.json, which names the problem of each image that "
        "has no result. It is sent while it grows.",
    }
    for kind in service.tasks.kinds.values():
        if kind.is_batch:
            add_task_route(router, service, kind, _answered, success, _PROBLEMS)
    return router


async def _answered(service: Service, request: Request, kind: JobKind) -> Response:
    accepted = await submit(service, request, service.callers.identify(request), kind)
    try:
        return _answer(service, accepted.lease)
    except BaseException:
        accepted.lease.release()
        raise


def _answer(service: Service, lease: Lease) -> Response:
    if lease.job is not None:
        return _GrowingArchive(lease, lease.job)
    record = lease.record
    if record.state is not JobState.DONE:
        # Only by its Idempotency-Key: what it was then, it is now.
        if record.error_code is not None:
            raise error_from_code(record.error_code, record.error_message or "")
        raise WrongJobState(f"job {record.id} is {record.state}")
    stored = service.jobs.result_file(record)
    if stored is None:
        raise InternalError(f"the result of job {record.id} was lost")
    return SpooledArchive(stored, record, release=lease.release)


class _GrowingArchive(StreamingResponse):
    """Entries are sent as soon as they are complete; a client that goes away ends what only it wanted."""

    def __init__(self, lease: Lease, job: Job) -> None:
        super().__init__(_grown(job), headers=archive_headers(lease.record), media_type=ARCHIVE_MEDIA_TYPE)
        self._lease = lease
        self._job = job

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            ended = self._job.ended.is_set()
            self._lease.release(None if ended else Cancelled("the client went away"))


async def _grown(job: Job) -> AsyncIterator[bytes]:
    ended, sent_bytes = False, 0
    with job.watched() as changed:
        while not ended:
            changed.clear()
            # In this order: what is final when it has ended is all there is.
            ended, final_bytes = job.ended.is_set(), job.final_bytes
            if ended and job.error is not None:
                # The status is long gone; a broken transfer is what is left to say it with.
                raise job.error
            while sent_bytes < final_bytes:
                wanted = min(_SENT_AT_ONCE_BYTES, final_bytes - sent_bytes)
                chunk = await asyncio.to_thread(_read, job.task.output_path, sent_bytes, wanted)
                sent_bytes += len(chunk)
                yield chunk
            if not ended:
                await changed.wait()


def _read(path: Path, offset: int, size_bytes: int) -> bytes:
    """From the finished file, or from the one that becomes it."""
    for candidate in (path.with_name(path.name + ".part"), path):
        try:
            with candidate.open("rb") as file:
                file.seek(offset)
                chunk = file.read(size_bytes)
        except FileNotFoundError:
            continue
        if chunk:
            return chunk
    raise InternalError("the archive was lost while it was sent")
