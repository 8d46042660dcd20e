"""Problems as the clients of other programs expect them; pure ASGI middleware."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pixelmend.api.errors import PROBLEM_MEDIA_TYPE, TYPE_PREFIX

Shape = Callable[[dict[str, Any]], tuple[int, dict[str, Any]]]
"""From a problem (RFC 9457), whose type is without its prefix, to the status and the JSON of a dialect."""


class DialectErrors:
    """Whatever answers a request with a problem, the shape is the one of the program that is spoken.

    shapes: by the beginnings of paths.
    """

    def __init__(self, app: ASGIApp, shapes: Mapping[str, Shape]) -> None:
        self._app = app
        self._shapes = shapes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        shape = self._shape_of(scope)
        if shape is None:
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Translated(shape, send))

    def _shape_of(self, scope: Scope) -> Shape | None:
        if scope["type"] != "http":
            return None
        found = (shape for start, shape in self._shapes.items() if scope["path"].startswith(start))
        return next(found, None)


class _Translated:
    """Sends what it is given, a problem in its other shape."""

    def __init__(self, shape: Shape, send: Send) -> None:
        self._shape = shape
        self._send = send
        self._start: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            kind = Headers(raw=message["headers"]).get("content-type", "")
            if kind.startswith(PROBLEM_MEDIA_TYPE):
                self._start = message
                return
        if self._start is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if not message.get("more_body", False):
            await self._send_translated(self._start)

    async def _send_translated(self, start: Message) -> None:
        problem: dict[str, Any] = json.loads(self._body)
        problem["type"] = str(problem["type"]).removeprefix(TYPE_PREFIX)
        status, document = self._shape(problem)
        body = json.dumps(document).encode()
        headers = MutableHeaders(raw=list(start["headers"]))
        headers["Content-Type"] = "application/json"
        headers["Content-Length"] = str(len(body))
        await self._send({**start, "status": status, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body})


def webui_shape(problem: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """That of A1111 and of IOPaint, whose front end shows `errors`."""
    status = problem["status"]
    if problem["type"] == "unknown-model":
        status = 422
    return status, {
        "error": problem["type"],
        "detail": problem["detail"],
        "body": "",
        "errors": problem["detail"],
    }
