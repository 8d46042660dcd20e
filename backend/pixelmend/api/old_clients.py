"""HTTP/1.0 clients: they know no chunks, so a body of unknown length ends with its connection."""

from typing import cast

from starlette.types import Message
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle


class OldClientsProtocol(HttpToolsProtocol):
    """uvicorn sends chunks whatever version the client speaks; nginx speaks 1.0 unless it is told not to."""

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if self.scope["http_version"] == "1.0" and self.cycle is not None:
            # uvicorn names the class itself; nothing has run yet.
            self.cycle.__class__ = _EndsWithItsConnection


class _EndsWithItsConnection(RequestResponseCycle):
    """uvicorn closes such connections anyway (keep_alive is False)."""

    _unknown_length = False

    async def send(self, message: Message) -> None:  # type: ignore[override]
        if message["type"] == "http.response.start":
            names = {bytes(name).lower() for name, _ in message.get("headers", [])}
            self._unknown_length = b"content-length" not in names
            if self._unknown_length:
                self.chunked_encoding = False
        elif self._unknown_length:
            # As much as comes, which is what it is held against.
            self.expected_content_length = len(cast(bytes, message.get("body", b"")))
        await super().send(message)  # type: ignore[arg-type]
