"""`/api/jobs`: work that goes on while no request waits for it."""

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pixelmend.api.events import event_stream
from pixelmend.api.forms import job_request_body
from pixelmend.api.owned_jobs import own_job
from pixelmend.api.queries import known_query
from pixelmend.api.results import SpooledArchive, SpooledFile
from pixelmend.api.schemas import JobList, JobView, Problem
from pixelmend.api.service import Service
from pixelmend.api.submissions import submit_job
from pixelmend.api.views import ARCHIVE_MEDIA_TYPE, item_view, job_view, with_deliveries
from pixelmend.core.errors import InvalidParameter, ResultExpired, WrongJobState
from pixelmend.jobs.model import ENDED, JobRecord, JobState
from pixelmend.jobs.snapshot import JobSnapshot

MAX_EVENT_ID_LENGTH = 64
_REFUSALS = (400, 401, 403, 404, 413, 415, 422, 429, 500, 503)


def jobs_router(service: Service) -> APIRouter:
    router = APIRouter(dependencies=[Depends(known_query)], tags=["jobs"])
    results = service.tasks.outputs(service.formats)

    def view(snapshot: JobSnapshot, *, with_items: bool = True) -> JobView:
        return job_view(snapshot, service.tasks, service.formats, with_items=with_items)

    @router.post(
        "/api/jobs",
        summary="Submit work and come back for the result",
        status_code=202,
        response_model=JobView,
        responses={status: {"model": Problem} for status in _REFUSALS},
        openapi_extra=job_request_body(service.tasks, service.formats),
    )
    async def submit(request: Request) -> Response:
        accepted = await submit_job(service, request, service.callers.identify(request))
        lease = accepted.lease
        try:
            shown = view(service.jobs.snapshot(lease.job or lease.record))
            shown = with_deliveries(shown, await service.deliveries.of(shown.id))
        finally:
            lease.release()
        headers = {"Location": f"{service.settings.root_path}/api/jobs/{shown.id}"}
        return JSONResponse(shown.model_dump(mode="json"), 202, headers)

    @router.get("/api/jobs", summary="The caller's jobs, newest first", responses=_problems(401, 403))
    async def list_jobs(request: Request) -> JobList:
        caller = service.callers.identify(request)
        snapshots = await service.jobs.list_of(caller.owner)
        return JobList(jobs=[view(snapshot, with_items=False) for snapshot in snapshots])

    @router.get("/api/jobs/{job_id}", summary="How a job is", responses=_problems(401, 403, 404))
    async def show(request: Request, job_id: str) -> JobView:
        shown = view(service.jobs.snapshot(await own_job(service, request, job_id)))
        return with_deliveries(shown, await service.deliveries.of(shown.id))

    @router.get(
        "/api/jobs/{job_id}/events",
        summary="Server-sent events: `state`, `progress`, `item`, `drain`",
        response_class=Response,
        responses={
            200: {
                "content": {"text/event-stream": {}},
                "description": "Data is the job, or the item of a batch, as JSON.",
            },
            204: {"description": "All was sent; do not connect again."},
            **_problems(401, 403, 404, 422),
        },
    )
    async def events(request: Request, job_id: str) -> Response:
        found = await own_job(service, request, job_id)
        last_id = request.headers.get("last-event-id", "")
        if len(last_id) > MAX_EVENT_ID_LENGTH:
            raise InvalidParameter(
                f"Last-Event-ID has {len(last_id)} characters; ids have {MAX_EVENT_ID_LENGTH} at most"
            )
        return event_stream(
            service.jobs,
            found,
            last_id,
            job_json=lambda s: view(s, with_items=s.state in ENDED).model_dump_json(),
            item_json=lambda n, item: item_view(n, item).model_dump_json(),
        )

    @router.get(
        "/api/jobs/{job_id}/result",
        summary="A finished job's file; ranges and ETag are understood",
        response_class=Response,
        responses={
            200: {
                "content": {each.media_type: {} for each in results} | {ARCHIVE_MEDIA_TYPE: {}},
                "description": "The whole file; of a batch, a ZIP.",
            },
            206: {"description": "The range that was asked for."},
            304: {"description": "The client has it already."},
            **_problems(401, 403, 404, 409, 410, 412, 416),
        },
    )
    async def result(request: Request, job_id: str) -> Response:
        found = await own_job(service, request, job_id)
        snapshot = service.jobs.snapshot(found)
        if snapshot.state is JobState.EXPIRED:
            raise ResultExpired(f"the result of job {job_id} is kept no longer")
        if snapshot.state is not JobState.DONE:
            raise WrongJobState(_why_no_result(snapshot))
        return _file(service, snapshot.record)

    @router.delete(
        "/api/jobs/{job_id}",
        summary="Cancel a job, or give up its result",
        responses=_problems(401, 403, 404),
    )
    async def cancel(request: Request, job_id: str) -> JobView:
        return view(await service.jobs.cancel(await own_job(service, request, job_id)))

    return router


def _problems(*statuses: int) -> dict[int | str, dict[str, object]]:
    return {status: {"model": Problem} for status in statuses}


def _file(service: Service, record: JobRecord) -> Response:
    lease = service.jobs.lease(record)
    path = service.jobs.result_file(record)
    # It may have expired since we looked.
    if path is None or record.result is None:
        lease.release()
        raise ResultExpired(f"the result of job {record.id} is kept no longer")
    etag = f'"{record.result.sha256}"'
    if record.items:
        return SpooledArchive(path, record, release=lease.release, etag=etag)
    assert record.report is not None  # every finished image has one
    return SpooledFile(
        path,
        job_id=record.id,
        task=service.tasks.kind(record.task).task,
        options=record.options,
        output=service.tasks.output(record.task, record.options.format, service.formats),
        report=record.report,
        file_name=record.file_name,
        release=lease.release,
        etag=etag,
    )


def _why_no_result(snapshot: JobSnapshot) -> str:
    record = snapshot.record
    why = f": {record.error_message}" if record.error_message else ""
    return f"job {record.id} is {snapshot.state}, so it has no result{why}"
