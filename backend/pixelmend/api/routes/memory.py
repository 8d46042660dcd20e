"""`/api/memory`: the worker's memory now and over time, alerts, and the same as server-sent events."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.sse import KEEPALIVE_COMMENT
from starlette.requests import Request
from starlette.responses import Response

from pixelmend.api.events import FIRST_LINES, sse_event, sse_response
from pixelmend.api.instance import instance_of
from pixelmend.api.memory_schemas import DeviceMemoryView, MemoryPoint, MemoryView
from pixelmend.api.queries import known_query
from pixelmend.api.schemas import Problem
from pixelmend.api.service import Service
from pixelmend.models.memory import Alert, MemorySample
from pixelmend.worker.memory import KEPT_SAMPLES, EventQueue, WorkerMemory

PING_PERIOD_S = 15.0
WAITING_EVENTS = 64
MAX_MINUTES = 100_000


def memory_router(service: Service) -> APIRouter:
    router = APIRouter(
        dependencies=[Depends(known_query)],
        tags=["memory"],
        responses={status: {"model": Problem} for status in (401, 403)},
    )

    @router.get("/api/memory", summary="Device and host memory: now, over time, and alerts")
    async def show(
        request: Request,
        points: Annotated[
            int, Query(ge=0, le=KEPT_SAMPLES, description="The newest so many of the history, at most.")
        ] = 300,
        minutes: Annotated[
            float | None,
            Query(
                gt=0,
                le=MAX_MINUTES,
                description="The history since then; of more samples than `points`, so many evenly spaced.",
            ),
        ] = None,
    ) -> MemoryView:
        service.callers.identify(request)
        return memory_view(service, request, points, minutes)

    @router.get(
        "/api/memory/events",
        summary="Server-sent events: `sample` with what is now, `alert`",
        response_class=Response,
        responses={
            200: {
                "content": {"text/event-stream": {}},
                "description": "Data is the device's index, and its sample or alert, as JSON.",
            }
        },
    )
    async def events(request: Request) -> Response:
        service.callers.identify(request)
        return sse_response(_events(service.workers.memories, service.jobs.draining_begun))

    return router


def memory_view(
    service: Service, request: Request, points: int = 0, minutes: float | None = None
) -> MemoryView:
    """points: of the history, the newest; of the last `minutes`, evenly spaced."""
    management = service.management.current
    workers = service.workers
    return MemoryView(
        instance=instance_of(request, service.settings),
        enabled=management.memory_monitoring_enabled,
        interval_s=management.memory_monitoring_interval,
        devices=[
            DeviceMemoryView(
                index=index,
                device=called,
                name=status.device.name if status.device else None,
                now=memory.latest,
                history=[_point(sample) for sample in _chosen(memory.history, points, minutes)],
                raised=memory.raised,
                alerts=memory.alerts,
            )
            for index, (called, memory, status) in enumerate(
                zip(workers.devices(), workers.memories, workers.statuses(), strict=True)
            )
        ],
    )


def _chosen(history: list[MemorySample], points: int, minutes: float | None) -> list[MemorySample]:
    if minutes is None:
        return history[-points:] if points else []
    since_s = time.time() - 60 * minutes
    recent = [sample for sample in history if sample.time_s >= since_s]
    if len(recent) <= points:
        return recent
    # Counted from the newest, which is always among them.
    return [recent[-1 - len(recent) * i // points] for i in reversed(range(points))]


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


async def _events(memories: Sequence[WorkerMemory], drain: asyncio.Event) -> AsyncIterator[bytes]:
    """The present first, then all that is new, until the service drains."""
    yield FIRST_LINES
    waiting: EventQueue = asyncio.Queue(WAITING_EVENTS)
    with ExitStack() as stack:
        for index, memory in enumerate(memories):
            stack.enter_context(memory.watched(waiting, index))
        for index, memory in enumerate(memories):
            if memory.latest is not None:
                yield _event(index, memory.latest)
            for alert in memory.raised:
                yield _event(index, alert)
        while not drain.is_set():
            item = await _next(waiting, drain)
            yield KEEPALIVE_COMMENT if item is None else _event(*item)


def _event(device: int, item: MemorySample | Alert) -> bytes:
    name = "sample" if isinstance(item, MemorySample) else "alert"
    return sse_event(name, None, json.dumps({"device": device, name: asdict(item)}))


async def _next(waiting: EventQueue, drain: asyncio.Event) -> tuple[int, MemorySample | Alert] | None:
    """None after a while without any, and when the service drains."""
    got, ends = asyncio.ensure_future(waiting.get()), asyncio.ensure_future(drain.wait())
    try:
        await asyncio.wait({got, ends}, timeout=PING_PERIOD_S, return_when=asyncio.FIRST_COMPLETED)
        return got.result() if got.done() else None
    finally:
        got.cancel()
        ends.cancel()
