"""Refuses bodies that are compressed on their way, which nothing here unpacks."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from pixelmend.api.errors import problem_for
from pixelmend.core.errors import UnsupportedCoding
from pixelmend.jobs.metrics import Metrics


class UncodedBodies:
    """Answers 415 to any other Content-Encoding than `identity`, as pure ASGI middleware.

    Such a body would be read as what it is not, and the answer would name its first bytes, not the reason.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        coding = _coding_of_body(Headers(scope=scope)) if scope["type"] == "http" else "identity"
        if coding.strip().lower() in ("", "identity"):
            await self._app(scope, receive, send)
            return
        refusal = UnsupportedCoding(f"Content-Encoding is {coding[:100]!r}; bodies are read as they come")
        self._metrics.request_refused(refusal.code)
        response = problem_for(refusal, retry_after_s=0)
        # RFC 9110, 15.5.16: this tells a coding apart from a type that is not supported.
        response.headers["Accept-Encoding"] = "identity"
        await response(scope, receive, send)


def _coding_of_body(headers: Headers) -> str:
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    return headers.get("content-encoding", "identity") if has_body else "identity"
