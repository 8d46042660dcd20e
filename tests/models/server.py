"""A real HTTP server that gives files the way servers on the internet do, good and bad."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[["Exchange"], None]


class Exchange(BaseHTTPRequestHandler):
    """One connection; `answers` of its server say what is done with a path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        server.home.requests.append((self.path, dict(self.headers)))
        server.home.answers[self.path](self)

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def whole(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.begin(status, {"Content-Length": str(len(body)), **headers})
        self.wfile.write(body)

    def break_off(self) -> None:
        self.wfile.flush()
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass  # the tests look at `requests`


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, home: "FileServer") -> None:
        self.home = home
        super().__init__(("127.0.0.1", 0), Exchange)

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # clients that leave early are what is tested


@dataclass
class FileServer:
    """requests: path and headers of all that came."""

    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def asked_ranges(self) -> list[str | None]:
        return [headers.get("Range") for _, headers in self.requests]


@contextmanager
def running_server() -> Iterator[FileServer]:
    home = FileServer()
    with _Server(home) as server:
        home.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield home
        finally:
            server.shutdown()


@dataclass
class Honest:
    """Gives `content` as RFC 9110 says, with ranges.

    break_after_bytes: of the body, for each request in turn; when it is used up, the rest is given.
    """

    content: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"ETag": '"v1"'})
    break_after_bytes: list[int] = field(default_factory=list)

    def __call__(self, exchange: Exchange) -> None:
        start = self._start(exchange)
        body = self.content[start:]
        headers = {**self.headers, "Content-Length": str(len(body))}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(self.content) - 1}/{len(self.content)}"
        exchange.begin(206 if start else 200, headers)
        if self.break_after_bytes:
            exchange.wfile.write(body[: self.break_after_bytes.pop(0)])
            exchange.break_off()
        else:
            exchange.wfile.write(body)

    def _start(self, exchange: Exchange) -> int:
        wanted = exchange.headers.get("Range")
        unchanged = exchange.headers.get("If-Range") in {None, *self.headers.values()}
        return int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and unchanged else 0


def in_turn(*answers: Answer) -> Answer:
    """One answer for each request, the last for ever."""
    left = list(answers)

    def answer(exchange: Exchange) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(exchange)

    return answer


def always(status: int, body: bytes = b"", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda exchange: exchange.whole(status, named, body)
