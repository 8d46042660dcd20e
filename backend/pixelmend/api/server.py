"""uvicorn, set up so that a SIGTERM drains: refuse new work, finish what was accepted, then leave."""

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import Iterator

import uvicorn

from pixelmend.api.app import create_app
from pixelmend.api.frontend import find_build, is_built
from pixelmend.api.listening import bound_sockets, url_of
from pixelmend.api.request_limits import bounded_protocol
from pixelmend.api.service import Service

KEEP_ALIVE_S = 15
GRACE_BEYOND_DRAIN_S = 5
"""uvicorn waits this much longer than our own drain, so that late answers still leave."""


class DrainingServer(uvicorn.Server):
    """Tells the job service about the signal before connections are closed."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service
        self._drain: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for end in sockets or []:
            # With port 0 the log is the only place that says which one it became.
            self._service.log.info("listening", address=url_of(end))
        if not is_built(find_build(self._service.settings.web_dir)):
            hint = "make wheel makes a package with it, or PIXELMEND_WEB_DIR names a build"
            self._service.log.info("the page is not built: only the API is served", hint=hint)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The event loop hears of signals, between two of its callbacks: within a handler nothing may be
        logged or waited for, since what it interrupts may hold any lock.

        Not uvicorn's own way: that raises the signal again at the end, so that a clean stop would look like a
        death to the process that started us.
        """
        if threading.current_thread() is not threading.main_thread():
            yield  # signals are the main thread's, and another one calls `stop`
            return
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        for number in before:
            loop.add_signal_handler(number, self._on_signal, number)
        try:
            yield
        finally:
            for number, handler in before.items():
                loop.remove_signal_handler(number)
                signal.signal(number, handler)

    def stop(self) -> None:
        """Finish what was accepted, then leave; on the server's event loop."""
        self.should_exit = True
        if self._drain is None:
            self._service.log.info("draining")
            self._service.downloads.cancel_all()
            self._drain = asyncio.create_task(self._service.jobs.drain(), name="drain on a signal")

    def _on_signal(self, number: signal.Signals) -> None:
        self.force_exit = self.force_exit or (self.should_exit and number is signal.SIGINT)
        self.stop()


def serve(service: Service) -> None:
    """Until SIGTERM or SIGINT. Raises InvalidParameter if it cannot listen."""
    settings = service.settings
    sockets = bound_sockets(settings.host, settings.port)
    with contextlib.suppress(OSError):
        settings.models_dir.mkdir(parents=True, exist_ok=True)  # no secret, unlike all that follows
    # What strangers send, and what comes of it, is for this user alone; the worker inherits this.
    os.umask(0o077)
    server_for(service).run(sockets)


def server_for(service: Service) -> DrainingServer:
    """Set up and not started; it is run with `bound_sockets`."""
    settings = service.settings
    config = uvicorn.Config(
        create_app(service),
        log_config=None,
        access_log=False,  # RequestContext writes one line with the request id
        server_header=False,
        timeout_graceful_shutdown=int(settings.drain_timeout_s) + GRACE_BEYOND_DRAIN_S,
        timeout_keep_alive=KEEP_ALIVE_S,
        proxy_headers=bool(settings.trusted_proxies.strip()),
        forwarded_allow_ips=settings.trusted_proxies,
        http=bounded_protocol(settings.header_timeout_s),
    )
    return DrainingServer(config, service)
