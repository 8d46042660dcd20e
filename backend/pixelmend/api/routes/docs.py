"""The headers of the documentation page: it runs its own scripts alone, and in no other page's frame."""

import base64
import hashlib
import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DOCS_PATH = "/docs"
_INLINE = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)


class DocsPolicy:
    """Adds a Content-Security-Policy to the pages below DOCS_PATH, which allows their own scripts alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or not (path == DOCS_PATH or path.startswith(DOCS_PATH + "/")):
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        body = bytearray()

        async def send_with_policy(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            body.extend(message.get("body", b""))
            if start is not None and not message.get("more_body", False):
                headers = MutableHeaders(scope=start)
                headers["Content-Security-Policy"] = policy_of(bytes(body))
                headers["X-Frame-Options"] = "DENY"
                headers["Referrer-Policy"] = "no-referrer"
                await send(start)
                await send({"type": "http.response.body", "body": bytes(body)})

        await self._app(scope, receive, send_with_policy)


def policy_of(page: bytes) -> str:
    """The policy for a page: its inline scripts by their hashes, so that what is put into it does not run."""
    scripts = [
        f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"
        for script in _INLINE.findall(page)
    ]
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src 'self'", *scripts)),
            "style-src 'self' 'unsafe-inline'",  # Swagger UI sets them as attributes
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
