"""A span for each request, which its jobs' spans are parts of. Nothing is imported for them unless the
environment names a collector.
"""

from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pixelmend.api.middleware import PROBES, job_named_in, method_of, route_of
from pixelmend.core.telemetry import REQUEST_ID, Logger
from pixelmend.core.traces import TRACEPARENT, Attributes, Traces

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def open_traces(environment: Mapping[str, str], instance: str, log: Logger) -> Traces | None:
    """None if no collector is named, or the extra `otel` is missing, which is logged."""
    if not any(environment.get(name) for name in ENDPOINTS):
        return None
    try:
        from pixelmend.core.otlp import OtlpTraces
    except ImportError:
        log.warning("traces need the extra [otel]: pip install 'pixelmend[otel]'; none are sent")
        return None
    return OtlpTraces(environment, instance, log)


class Tracing:
    """Pure ASGI middleware, inside `RequestContext`, whose request id the span has. Probes have none."""

    def __init__(self, app: ASGIApp, traces: Traces) -> None:
        self._app = app
        self._traces = traces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        headers, method = Headers(scope=scope), method_of(scope)
        span = self._traces.begin_request(method, headers.get("traceparent"), headers.get("tracestate"))
        token = TRACEPARENT.set(span.traceparent or None)
        status, job = 0, ""

        async def watched_send(message: Message) -> None:
            nonlocal status, job
            if message["type"] == "http.response.start":
                status = message["status"]
                job = job_named_in(MutableHeaders(scope=message))
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        finally:
            TRACEPARENT.reset(token)
            route, status = route_of(scope), status or 500
            told: Attributes = {
                "http.request.method": method,
                "http.route": route,
                "http.response.status_code": status,
                "pixelmend.request_id": REQUEST_ID.get() or "",
                **({"pixelmend.job": job} if job else {}),
            }
            span.end(f"{method} {route}", told, failed=status >= 500)
