"""HTTP/1.1 with a bound on every phase of a request: httptools has none, and keeps what is not complete.

| phase | bytes | time |
|---|---|---|
| between requests, request line, headers | MAX_HEAD_BYTES, MAX_HEADERS | header_timeout_s |
| body | the routes' own | the routes' own (upload_timeout_s) |
| between two pieces of a chunked body, its trailers | MAX_HEAD_BYTES, MAX_HEADERS | the routes' own |
| what still comes of a request that was answered | nothing is kept | header_timeout_s |
"""

import asyncio
from typing import Any

from pixelmend.api.old_clients import OldClientsProtocol
from pixelmend.api.upgrades import WithoutUpgradesProtocol

MAX_HEAD_BYTES = 64 * 1024
"""What may come without a byte of a body; one read (at most 256 KB) more may pass before it is noticed."""
MAX_HEADERS = 200
"""Headers and trailers of one request."""


class TooManyHeaders(Exception):
    """Raised out of the parser, which then refuses the request."""


class BoundedProtocol(OldClientsProtocol, WithoutUpgradesProtocol):
    """Closes connections that overstep a bound; `header_timeout_s` is set by `bounded_protocol`."""

    header_timeout_s: float

    _headers_seen = 0
    _silent_bytes = 0
    """Received since the last byte of a body, or the end of a request."""
    _heard_body = False
    _in_message = False
    """A request's headers are complete, and the request is not."""
    _deadline: asyncio.TimerHandle | None = None

    # --- the transport's events -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._heard_body = False
        self._silent_bytes += len(data)
        super().data_received(data)
        if self._heard_body:
            self._silent_bytes = 0
        elif self._silent_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            what = "trailers" if self._in_message else "header"
            self.send_400_response(f"The {what} of the request exceed {MAX_HEAD_BYTES} bytes.")
        began_another = self._silent_bytes and not self._in_message
        if self._deadline is None and began_another and not self.transport.is_closing():
            self._arm()  # uvicorn's own limit applies to connections on which nothing comes

    # --- the parser's events ----------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._headers_seen = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers_seen += 1
        if self._headers_seen > MAX_HEADERS:
            raise TooManyHeaders
        if not self._in_message:  # trailers are not read
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_message = True
        self._disarm()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._heard_body = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_message = False
        self._silent_bytes = 0
        self._disarm()
        super().on_message_complete()

    # --- answers ----------------------------------------------------------------------------------------

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._in_message:
            self._arm()  # what is left of the request is read for a while, so that the answer gets through

    def send_400_response(self, msg: str) -> None:
        """An answer that is under way is broken off instead: a second one within it could be taken for it."""
        if self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete:
            self.transport.abort()
        else:
            super().send_400_response(msg)

    # --- time -------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(self.header_timeout_s, self._too_late)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        self._deadline = None
        if self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self._arm()  # the beginning of a next request waits for the answer to the one before
        else:
            self.transport.close()


def bounded_protocol(header_timeout_s: float) -> type[asyncio.Protocol]:
    """The class for uvicorn's `http`."""
    attributes: dict[str, Any] = {"header_timeout_s": header_timeout_s}
    return type("BoundedProtocol", (BoundedProtocol,), attributes)
