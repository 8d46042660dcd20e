"""Requests that wait for the result of the job that they ask for."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from pixelmend.api.receiving import Body
from pixelmend.api.results import SpooledFile
from pixelmend.api.service import Service
from pixelmend.api.submissions import Accepted, submit
from pixelmend.api.waiting import while_connected
from pixelmend.core.error_codes import error_from_code
from pixelmend.core.errors import Cancelled, DeadlineExceeded, Draining, InternalError
from pixelmend.jobs.model import JobState
from pixelmend.jobs.submission import Lease
from pixelmend.tasks.image import ImageReport
from pixelmend.tasks.task import JobKind

Answer = Callable[[Accepted], Response]
"""Makes the response of a finished job, which releases the lease once it is sent."""


async def answered(
    service: Service, request: Request, kind: JobKind, answer: Answer, body: Body | None = None
) -> Response:
    """Submit, wait and answer. Raises what the work is refused for, or fails with.

    body: how the request says what it wants; None for our own form.
    """
    accepted = await submit(service, request, service.callers.identify(request), kind, body)
    try:
        await _wait(service, request, accepted.lease, is_async=body is not None and body.is_async)
        return answer(accepted)
    except BaseException:
        accepted.lease.release()
        raise


def image_response(service: Service, accepted: Accepted) -> SpooledFile:
    """The finished image itself."""
    record = accepted.lease.record
    return SpooledFile(
        result_path(service, accepted.lease),
        job_id=record.id,
        task=service.tasks.kind(record.task).task,
        options=record.options,
        output=service.tasks.output(record.task, record.options.format, service.formats),
        report=report_of(accepted.lease),
        file_name=accepted.file_name,
        release=accepted.lease.release,
    )


def result_path(service: Service, lease: Lease) -> Path:
    """Where the finished job's file lies while it is leased."""
    if lease.job is not None:
        return lease.job.task.output_path
    stored = service.jobs.result_file(lease.record)
    if stored is None:
        raise InternalError(f"the result of job {lease.record.id} was lost")
    return stored


def report_of(lease: Lease) -> ImageReport:
    """How the finished image came about."""
    report = lease.record.report if lease.job is None else lease.job.report
    if report is None:
        raise InternalError(f"job {lease.record.id} ended without a report")
    return report


async def _wait(service: Service, request: Request, lease: Lease, *, is_async: bool) -> None:
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
    # Who comes back for a result finds it once the end is recorded.
    end = lease.job.settled if is_async else lease.job.ended
    await _wait_for_end(service, request, lease, end)
    if lease.job.error is not None:
        raise lease.job.error
    if lease.job.state is JobState.SUSPENDED:
        raise Draining(f"the service is shutting down; job {lease.record.id} goes on after its next start")


async def _wait_for_end(service: Service, request: Request, lease: Lease, end: asyncio.Event) -> None:
    timeout_s = service.settings.request_timeout_s
    try:
        await while_connected(request, end.wait(), timeout_s)
    except ClientDisconnect:
        lease.release(Cancelled("the client went away"))
        raise
    except TimeoutError:
        late = DeadlineExceeded(f"not finished within request_timeout_s={timeout_s:g}")
        lease.release(late)
        raise late from None
