"""`POST /api/upscale`, `/api/inpaint` and so on: jobs for whose result the request waits."""

from typing import Any

from fastapi import APIRouter, Depends
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from pixelmend.api.queries import known_query
from pixelmend.api.results import SpooledFile
from pixelmend.api.routes.tasks import add_task_route
from pixelmend.api.service import Service
from pixelmend.api.submissions import Accepted, submit
from pixelmend.api.waiting import while_connected
from pixelmend.core.error_codes import error_from_code
from pixelmend.core.errors import Cancelled, DeadlineExceeded, InternalError
from pixelmend.jobs.model import Job, JobState
from pixelmend.jobs.submission import Lease
from pixelmend.tasks.task import JobKind

_PROBLEMS = (400, 401, 403, 404, 406, 409, 413, 415, 422, 429, 500, 503, 504)


def images_router(service: Service) -> APIRouter:
    """A route for each task: `POST /api/<task>`."""
    router = APIRouter(dependencies=[Depends(known_query)], tags=["images"])
    content: dict[str, Any] = {output.media_type: {} for output in service.formats.outputs}
    for kind in service.tasks.kinds.values():
        if not kind.is_batch and not kind.task.is_long:
            success = {"content": content, "description": kind.task.result}
            add_task_route(router, service, kind, _answered, success, _PROBLEMS)
    return router


async def _answered(service: Service, request: Request, kind: JobKind) -> Response:
    accepted = await submit(service, request, service.callers.identify(request), kind)
    try:
        await _wait(service, request, accepted.lease)
        return _answer(service, accepted)
    except BaseException:
        accepted.lease.release()
        raise


async def _wait(service: Service, request: Request, lease: Lease) -> None:
    """Until the job ends, the deadline passes or the client goes. Raises what the job ended with."""
    if lease.job is None:
        record = lease.record
        if record.state is not JobState.DONE:
            # Only by its Idempotency-Key: what it was then, it is now.
            raise error_from_code(
                record.error_code or "job-state",
                record.error_message or f"job {record.id} is {record.state}",
            )
        return
    await _wait_for_end(service, request, lease, lease.job)


async def _wait_for_end(service: Service, request: Request, lease: Lease, job: Job) -> None:
    timeout_s = service.settings.request_timeout_s
    try:
        await while_connected(request, _ended(job), timeout_s)
    except ClientDisconnect:
        lease.release(Cancelled("the client went away"))
        raise
    except TimeoutError:
        late = DeadlineExceeded(f"not finished within request_timeout_s={timeout_s:g}")
        lease.release(late)
        raise late from None
    if job.error is not None:
        raise job.error


async def _ended(job: Job) -> None:
    await job.ended.wait()


def _answer(service: Service, accepted: Accepted) -> Response:
    lease = accepted.lease
    job = lease.job
    if job is not None:
        report, path = job.report, job.task.output_path
    else:
        report = lease.record.report
        stored = service.jobs.result_file(lease.record)
        if stored is None:
            raise InternalError(f"the result of job {lease.record.id} was lost")
        path = stored
    if report is None:
        raise InternalError(f"job {lease.record.id} ended without a report")
    return SpooledFile(
        path,
        job_id=lease.record.id,
        task=service.tasks.kind(lease.record.task).task,
        options=lease.record.options,
        output=service.tasks.output(lease.record.task, lease.record.options.format, service.formats),
        report=report,
        file_name=accepted.file_name,
        release=lease.release,
    )
