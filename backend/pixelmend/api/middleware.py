"""Pure ASGI middleware: request ids, access log, counts, security headers. None of it hides a disconnect."""

import re
import time
import uuid
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pixelmend.api.auth import CALLER, Callers
from pixelmend.core.telemetry import REQUEST_ID, Logger
from pixelmend.jobs.metrics import Metrics

PROBES = frozenset({"/livez", "/readyz", "/api/health"})
"""Monitoring asks for these every few seconds; they are logged only if something is wrong."""
_BEHIND_THE_KEY = (
    "/api/",
    "/v1/",
    "/sdapi/",
    "/metrics",
    "/docs",
    "/redoc",
    "/openapi.json",
    "/static-offline-docs",
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_JOB = re.compile(r"^/api/jobs/([^/?]+)$")
_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


class ErrorBoundary:
    """Answers what no handler has foreseen, within the request's context: with its id and its headers.

    Where the answer has begun already, its connection is broken off: nothing else can be said any more.
    """

    def __init__(self, app: ASGIApp, log: Logger, answer: Callable[[Exception], Response]) -> None:
        self._app = app
        self._log = log
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def watched_send(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        except Exception as error:
            if has_begun or scope["type"] != "http":
                self._log.warning("an answer was broken off", exc_info=error)
                raise
            await self._answer(error)(scope, receive, send)


class KeyForEverything:
    """Asks for a key before anything but the probes and the web app's own files, which have no secrets."""

    def __init__(self, app: ASGIApp, callers: Callers) -> None:
        self._app = app
        self._callers = callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_BEHIND_THE_KEY):
            self._callers.identify(Request(scope))
        await self._app(scope, receive, send)


class RequestContext:
    """Gives each request an id (the caller's, if it is well formed); logs and counts it at its end.

    The line tells who called (by the key's name), which job it was about, and how much came and went.
    """

    def __init__(self, app: ASGIApp, log: Logger, metrics: Metrics) -> None:
        self._app = app
        self._log = log
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        offered = Headers(scope=scope).get("x-request-id", "")
        request_id = offered if _ACCEPTABLE_ID.fullmatch(offered) else uuid.uuid4().hex
        token = REQUEST_ID.set(request_id)
        started_s = time.perf_counter()
        status = received_bytes = sent_bytes = 0
        job = ""

        async def counted_receive() -> Message:
            nonlocal received_bytes
            message = await receive()
            received_bytes += len(message.get("body", b""))
            return message

        async def send_with_headers(message: Message) -> None:
            nonlocal status, sent_bytes, job
            sent_bytes += len(message.get("body", b""))
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
                job = job_named_in(headers)
            await send(message)

        try:
            await self._app(scope, counted_receive, send_with_headers)
        finally:
            seconds = time.perf_counter() - started_s
            status = status or 500  # nothing was sent: the server says it, once this is over
            self._metrics.request_ended(method_of(scope), route_of(scope), status, seconds)
            write = self._log.debug if scope["path"] in PROBES and status < 500 else self._log.info
            write(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                seconds=round(seconds, 4),
                **_told(scope, job, received_bytes, sent_bytes),
            )
            REQUEST_ID.reset(token)


def job_named_in(headers: Headers) -> str:
    """The id of the job that an answer is about; "" if it is about none."""
    return headers.get("x-pixelmend-job") or _JOB.sub(r"\1", headers.get("location", ""))


def _told(scope: Scope, job: str, received_bytes: int, sent_bytes: int) -> dict[str, str | int]:
    """What there is to tell of a call."""
    caller = scope.get(CALLER)
    if not job:
        job = scope.get("path_params", {}).get("job_id")
    told = {
        "key": caller.name if caller else None,
        "job": job,
        "received_bytes": received_bytes,
        "sent_bytes": sent_bytes,
    }
    return {name: value for name, value in told.items() if value}


def route_of(scope: Scope) -> str:
    """The path as it is declared, of which there are few; what is sent may be anything."""
    return str(getattr(scope.get("route"), "path", "none"))


def method_of(scope: Scope) -> str:
    method = str(scope["method"])
    return method if method in _METHODS else "other"
