"""A web server for tests: what it is asked, and what it answers, are the test's."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class WebServer:
    """connections: how many were made. asked: the requests of them."""

    port: int = 0
    connections: int = 0
    asked: list[Asked] = field(default_factory=list)


Answer = tuple[int, Mapping[str, str], bytes]


@contextmanager
def web_server(
    answer: Callable[[Asked], Answer], address: str = "127.0.0.1", port: int = 0
) -> Iterator[WebServer]:
    seen = WebServer()

    class Handler(BaseHTTPRequestHandler):
        def setup(self) -> None:
            seen.connections += 1
            super().setup()

        def _answer(self) -> None:
            length = int(self.headers.get("content-length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, self.rfile.read(length))
            seen.asked.append(asked)
            status, sent, body = answer(asked)
            self.send_response(status)
            for name, value in sent.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_PUT(self) -> None:
            self._answer()

        def do_DELETE(self) -> None:
            self._answer()

        def do_HEAD(self) -> None:
            self._answer()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that has read enough

    with Server((address, port), Handler) as server:
        seen.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield seen
        finally:
            server.shutdown()
            thread.join()
