"""A job's server-sent events."""

import asyncio
from collections.abc import AsyncIterator, Callable

from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from starlette.responses import Response

from pixelmend.jobs.model import ENDED, BatchItem, Job, JobRecord
from pixelmend.jobs.service import JobService
from pixelmend.jobs.snapshot import JobSnapshot

JobJson = Callable[[JobSnapshot], str]
ItemJson = Callable[[int, BatchItem], str]
"""How a batch's item is told, by its number."""

FIRST_LINES = format_sse_event(retry=2000)
"""A client whose connection breaks waits so many milliseconds."""
PING_PERIOD_S = 15.0
SHORTEST_GAP_S = 0.1
END_ID = "end"
"""The id of the last event of every job; other ids mean nothing to the next start of the service."""


def event_stream(
    jobs: JobService,
    found: Job | JobRecord,
    last_event_id: str,
    *,
    job_json: JobJson,
    item_json: ItemJson,
) -> Response:
    """Events from after `last_event_id` on; 204, by which a client stops asking, if that was the last.

    An id that is not known, as after a restart, begins with the present state.
    """
    if last_event_id == END_ID and jobs.snapshot(found).state in ENDED:
        return Response(status_code=204)
    return sse_response(_events(jobs, found, last_event_id, job_json, item_json))


async def _events(
    jobs: JobService, found: Job | JobRecord, last_event_id: str, job_json: JobJson, item_json: ItemJson
) -> AsyncIterator[bytes]:
    yield FIRST_LINES
    if isinstance(found, Job):
        with found.watched() as changed:
            async for event in _live_events(jobs, found, last_event_id, changed, job_json, item_json):
                yield event
    else:
        snapshot = jobs.snapshot(found)
        # What has not ended was put aside for the next start.
        is_end = snapshot.state in ENDED
        yield sse_event("state" if is_end else "drain", END_ID if is_end else None, job_json(snapshot))


async def _live_events(
    jobs: JobService,
    job: Job,
    last_event_id: str,
    changed: asyncio.Event,
    job_json: JobJson,
    item_json: ItemJson,
) -> AsyncIterator[bytes]:
    history = jobs.history(job)
    run, _, told = last_event_id.partition("-")
    seen = int(told) if run == jobs.run and told.isdecimal() else 0
    while True:
        changed.clear()
        # All of one moment: while events are sent, the job goes on.
        latest, revision = jobs.snapshot(job), history.revision
        for at, change in history.since(seen):
            seen = at
            if isinstance(change, JobSnapshot):
                ended = change.state in ENDED
                yield sse_event("state", END_ID if ended else f"{jobs.run}-{at}", job_json(change))
                if ended:
                    return
            else:
                yield sse_event("item", f"{jobs.run}-{at}", item_json(*change))
        if revision > seen:
            seen = revision
            yield sse_event("progress", f"{jobs.run}-{seen}", job_json(latest))
        if jobs.draining:
            yield sse_event("drain", None, job_json(latest))
            return
        # What changes meanwhile is told as one event, the latest.
        await asyncio.sleep(SHORTEST_GAP_S)
        while not changed.is_set():
            try:
                await asyncio.wait_for(changed.wait(), PING_PERIOD_S)
            except TimeoutError:
                yield KEEPALIVE_COMMENT


def sse_event(name: str, event_id: str | None, data: str) -> bytes:
    return format_sse_event(event=name, id=event_id, data_str=data)


def sse_response(events: AsyncIterator[bytes]) -> Response:
    # nginx would collect what has to be seen at once.
    return EventSourceResponse(events, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
