"""Requests that offer to change the protocol are served as any other, and the offer is left (RFC 9110, 7.8).

Java's own client and Ktor's offer HTTP/2 with every request, as `curl --http2` does. httptools stops reading
behind such a head, and uvicorn takes the request for one without a body.
"""

from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_FRAMING = (b"content-length", b"transfer-encoding")
"""What tells where a body ends."""


class WithoutUpgradesProtocol(HttpToolsProtocol):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.parser = _Parser(self)  # type: ignore[assignment]


class _Parser:
    """As `httptools.HttpRequestParser`, of which it takes another one if the first stops at an offer.

    The other one is given as much of the head as tells where the body ends.
    """

    def __init__(self, protocol: HttpToolsProtocol) -> None:
        self._protocol = protocol
        self._parser = self._made()
        self._is_head_known = False
        """The head that is read now has been told to the protocol."""

    def _made(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self)
        parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own
        return parser

    # --- what uvicorn calls -----------------------------------------------------------------------------

    def feed_data(self, data: bytes) -> None:
        """Raises httptools.HttpParserError."""
        rest = memoryview(data)
        while True:  # one read may hold thousands of requests that all offer
            try:
                self._parser.feed_data(rest)
            except httptools.HttpParserUpgrade as offer:
                (read_bytes,) = offer.args
                rest = rest[read_bytes:]
                self._read_body()
            else:
                return

    def _read_body(self) -> None:
        framing = [name + b": " + value for name, value in self._protocol.headers if name in _FRAMING]
        self._parser = self._made()
        self._is_head_known = True
        self._parser.feed_data(b"\r\n".join([b"POST / HTTP/1.1", *framing, b"", b""]))

    def should_upgrade(self) -> bool:
        return False

    def should_keep_alive(self) -> bool:
        return bool(self._parser.should_keep_alive())

    def get_http_version(self) -> str:
        return str(self._parser.get_http_version())

    def get_method(self) -> bytes:
        return bytes(self._parser.get_method())

    # --- what httptools calls ---------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if not self._is_head_known:
            self._protocol.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if not self._is_head_known:
            self._protocol.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._is_head_known:
            self._protocol.on_header(name, value)

    def on_headers_complete(self) -> None:
        if not self._is_head_known:
            self._protocol.on_headers_complete()
        self._is_head_known = False

    def on_body(self, body: bytes) -> None:
        self._protocol.on_body(body)

    def on_message_complete(self) -> None:
        if not self._parser.should_upgrade():  # else it is no end: the body follows
            self._protocol.on_message_complete()
