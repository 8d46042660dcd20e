"""`/api/memory`: the worker's memory now and over time, alerts, and the same as server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from pixelmend.serving.memory import KEPT_SAMPLES, WorkerMemory
from pixelmend.tasks import Alert, MemorySample
from pixelmend.web.events import sse_event
from pixelmend.web.schemas import MemoryPoint, MemoryView, Problem
from pixelmend.web.service import Service

PING_PERIOD_S = 15.0


def memory_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["memory"], responses={status: {"model": Problem} for status in (401, 403)})

    @router.get("/api/memory", summary="Device and host memory: now, over time, and alerts")
    async def show(
        request: Request,
        points: Annotated[int, Query(ge=0, le=KEPT_SAMPLES, description="Of the history, the newest.")] = 300,
    ) -> MemoryView:
        service.callers.identify(request)
        memory = service.supervisor.memory
        settings = service.settings
        history = memory.history[-points:] if points else []
        return MemoryView(
            enabled=settings.memory_monitoring_enabled,
            interval_s=settings.memory_monitoring_interval,
            now=memory.latest,
            history=[_point(sample) for sample in history],
            raised=memory.raised,
            alerts=memory.alerts,
        )

    @router.get(
        "/api/memory/events",
        summary="Server-sent events: `sample` with what is now, `alert`",
        response_class=Response,
        responses={
            200: {
                "content": {"text/event-stream": {}},
                "description": "Data is what `now` and `alerts` of /api/memory hold, as JSON.",
            }
        },
    )
    async def events(request: Request) -> Response:
        service.callers.identify(request)
        return StreamingResponse(
            _events(service.supervisor.memory, service.desk.draining_begun),
            media_type="text/event-stream",
            # nginx would collect what has to be seen at once.
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return router


def _point(sample: MemorySample) -> MemoryPoint:
    return MemoryPoint(
        time_s=sample.time_s,
        device_used_bytes=sample.device_used_bytes,
        accounted_bytes=sample.accounted_bytes,
        utilisation_percent=sample.utilisation_percent,
        temperature_c=sample.temperature_c,
        host_used_bytes=sample.host_used_bytes,
        worker_bytes=sample.worker_bytes,
    )


async def _events(memory: WorkerMemory, drain: asyncio.Event) -> AsyncIterator[str]:
    """The present first, then all that is new, until the service drains."""
    sample_json, alert_json = TypeAdapter(MemorySample), TypeAdapter(Alert)
    yield "retry: 2000\n\n"
    with memory.watched() as news:
        if memory.latest is not None:
            yield sse_event("sample", None, sample_json.dump_json(memory.latest).decode())
        for alert in memory.raised:
            yield sse_event("alert", None, alert_json.dump_json(alert).decode())
        while not drain.is_set():
            item = await _next(news, drain)
            if item is None:
                yield ": ping\n\n"
            elif isinstance(item, MemorySample):
                yield sse_event("sample", None, sample_json.dump_json(item).decode())
            else:
                yield sse_event("alert", None, alert_json.dump_json(item).decode())


async def _next(
    news: "asyncio.Queue[MemorySample | Alert]", drain: asyncio.Event
) -> MemorySample | Alert | None:
    """None after a while without any, and when the service drains."""
    got, ends = asyncio.ensure_future(news.get()), asyncio.ensure_future(drain.wait())
    try:
        await asyncio.wait({got, ends}, timeout=PING_PERIOD_S, return_when=asyncio.FIRST_COMPLETED)
        return got.result() if got.done() else None
    finally:
        got.cancel()
        ends.cancel()
