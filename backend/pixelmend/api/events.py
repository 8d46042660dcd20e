"""A job's server-sent events."""

import asyncio
from collections.abc import AsyncIterator, Callable

from starlette.responses import Response, StreamingResponse

from pixelmend.jobs.live import JobSnapshot, LiveJob
from pixelmend.jobs.model import ENDED, BatchItem, JobRecord
from pixelmend.jobs.service import JobService

JobJson = Callable[[JobSnapshot], str]
ItemJson = Callable[[int, BatchItem], str]
"""How a batch's item is told, by its number."""

PING_PERIOD_S = 15.0
SHORTEST_GAP_S = 0.1
END_ID = "end"
"""Of the last event of every job; the others' ids mean nothing to the next start of the service."""


def event_stream(
    desk: JobService,
    found: LiveJob | JobRecord,
    last_event_id: str,
    *,
    job_json: JobJson,
    item_json: ItemJson,
) -> Response:
    """Events from after `last_event_id` on; 204, by which a client stops asking, where that was the last.

    An id that is not known, as after a restart, begins with the present state.
    """
    if last_event_id == END_ID and desk.snapshot(found).state in ENDED:
        return Response(status_code=204)
    return StreamingResponse(
        _events(desk, found, last_event_id, job_json, item_json),
        media_type="text/event-stream",
        # nginx would collect what has to be seen at once.
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(
    desk: JobService, found: LiveJob | JobRecord, last_event_id: str, job_json: JobJson, item_json: ItemJson
) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    if isinstance(found, LiveJob):
        with found.watched() as changed:
            async for event in _live_events(desk, found, last_event_id, changed, job_json, item_json):
                yield event
    else:
        snapshot = desk.snapshot(found)
        # What has not ended was put aside for the next start.
        is_end = snapshot.state in ENDED
        yield sse_event("state" if is_end else "drain", END_ID if is_end else None, job_json(snapshot))


async def _live_events(
    desk: JobService,
    live: LiveJob,
    last_event_id: str,
    changed: asyncio.Event,
    job_json: JobJson,
    item_json: ItemJson,
) -> AsyncIterator[str]:
    run, _, told = last_event_id.partition("-")
    seen = int(told) if run == desk.run and told.isdecimal() else 0
    while True:
        changed.clear()
        # All of one moment: while events are sent, the job goes on.
        latest, revision = desk.snapshot(live), live.revision
        for at, change in _missed(live, seen):
            seen = at
            if isinstance(change, JobSnapshot):
                ended = change.state in ENDED
                yield sse_event("state", END_ID if ended else f"{desk.run}-{at}", job_json(change))
                if ended:
                    return
            else:
                yield sse_event("item", f"{desk.run}-{at}", item_json(*change))
        if revision > seen:
            seen = revision
            yield sse_event("progress", f"{desk.run}-{seen}", job_json(latest))
        if desk.draining:
            yield sse_event("drain", None, job_json(latest))
            return
        # What changes meanwhile is told as one event, the latest.
        await asyncio.sleep(SHORTEST_GAP_S)
        while not changed.is_set():
            try:
                await asyncio.wait_for(changed.wait(), PING_PERIOD_S)
            except TimeoutError:
                yield ": ping\n\n"


def _missed(live: LiveJob, seen: int) -> list[tuple[int, JobSnapshot | tuple[int, BatchItem]]]:
    """What has changed since that revision, in order; of one revision, items before the job's state."""
    items = [(at, (n, item)) for at, n, item in live.item_changes if at > seen]
    states = [change for change in live.state_changes if change[0] > seen]
    return sorted([*items, *states], key=lambda change: change[0])


def sse_event(name: str, event_id: str | None, data: str) -> str:
    head = f"event: {name}\n" if event_id is None else f"event: {name}\nid: {event_id}\n"
    return f"{head}data: {data}\n\n"
