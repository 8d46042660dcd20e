"""HEAD for all that GET answers, and which methods a path has (RFC 9110, sections 9.3.2 and 15.5.6)."""

from collections.abc import Sequence

from anyio import CancelScope
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_OF_GET_ALONE = frozenset({b"range", b"if-range"})


class HeadAsGet:
    """Answers HEAD as GET, up to the end of the headers: no file is read, and no stream of events begins.

    Ranges are for GET alone (section 14.2).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        headers = [(name, value) for name, value in scope["headers"] if name not in _OF_GET_ALONE]
        with CancelScope() as answering:

            async def send_headers(message: Message) -> None:
                if message["type"] == "http.response.start":
                    await send(message)
                    await send({"type": "http.response.body"})
                    answering.cancel()

            await self._app({**scope, "method": "GET", "headers": headers}, receive, send_headers)


def allowed_methods(routes: Sequence[BaseRoute], scope: Scope) -> str:
    """The methods that the path of a request has, for the header Allow."""
    found = [
        method
        for method in METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    return ", ".join(["GET", "HEAD", *found[1:]] if found[:1] == ["GET"] else found)
