"""uvicorn, set up so that a SIGTERM drains: refuse new work, finish what was accepted, then leave."""

import asyncio
import signal
import socket
from types import FrameType

import uvicorn

from pixelmend.web.app import create_app
from pixelmend.web.old_clients import OldClientsProtocol
from pixelmend.web.service import Service

GRACE_BEYOND_DRAIN_S = 5
"""uvicorn waits this much longer than our own drain, so that late answers still leave."""

MAX_HEAD_BYTES = 64 * 1024
"""Request line and headers together; a few reads (at most 256 KB each) may pass before it is noticed."""


class BoundedHeadProtocol(OldClientsProtocol):
    """httptools itself keeps an unfinished header of any length in memory."""

    _in_head = False
    _head_bytes = 0

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        was_in_head = self._in_head
        super().data_received(data)
        # The read in which a head begins may hold the body before it, so it does not count.
        if was_in_head and self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.send_400_response(f"The header exceeds {MAX_HEAD_BYTES} bytes.")


class DrainingServer(uvicorn.Server):
    """Tells the desk about the signal before connections are closed."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service
        self._drain: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for server in self.servers if self.started else []:
            for end in server.sockets:
                host, port = end.getsockname()[:2]
                # With port 0 nobody else knows which one it became.
                self._service.log.info("listening", address=f"http://{host}:{port}")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Not uvicorn's own handler: it raises the signal again at the end, so that a clean stop would look
        # like a death to whoever started us.
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
        if self._drain is None:
            self._service.log.info("draining", signal=sig)
            loop = asyncio.get_running_loop()
            # Not from within the signal: what it interrupts may hold the lock that this takes.
            loop.call_soon_threadsafe(self._service.downloads.cancel_all)
            self._drain = loop.create_task(self._service.desk.drain())


def serve(service: Service) -> None:
    """Until SIGTERM or SIGINT."""
    settings = service.settings
    config = uvicorn.Config(
        create_app(service),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,  # RequestContext writes one line with the request id
        server_header=False,
        timeout_graceful_shutdown=int(settings.drain_timeout_s) + GRACE_BEYOND_DRAIN_S,
        timeout_keep_alive=15,
        http=BoundedHeadProtocol,
    )
    DrainingServer(config, service).run()
