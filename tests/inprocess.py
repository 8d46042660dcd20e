"""The service and its worker as threads of the test: real sockets, spool, database and engine."""

import asyncio
import logging
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pixelmend.api.listening import bound_sockets, url_of
from pixelmend.api.server import server_for
from pixelmend.api.service import build_service
from pixelmend.core.config import Settings
from pixelmend.core.outbound import Outbound
from pixelmend.core.telemetry import SERVICE_LOGGER, Logger, configure_logging
from pixelmend.tasks.registry import TaskRegistry
from pixelmend.worker.process import Extensions, work
from pixelmend.worker.protocol import Configure, FromWorker, ToWorker, WorkerEnd
from tests.service import ServiceClient, client_of

START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 60.0


class _LoseableEnd(WorkerEnd):
    """A process that lost its service ends at once. Threads may still have something to tell."""

    def __init__(self, end: socket.socket) -> None:
        super().__init__(end)
        self._end = end

    def send(self, message: FromWorker) -> None:
        with suppress(OSError, ValueError):  # ValueError: `close` was first
            super().send(message)

    def close(self) -> None:
        """Not left to the garbage collector, which may take the socket before its files."""
        # The inbox may be reading still, which holds a lock that closing waits for.
        with suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)
        self._file.close()
        self._reader.close()


class ThreadWorker:
    """A worker in a thread, which stands in for a process of its own."""

    pid = 0

    def __init__(self, end: socket.socket, extensions: Extensions) -> None:
        self._end = end.dup()
        self._extensions = extensions
        self._open = threading.Event()
        self._open.set()
        self._status: int | None = None
        self._crash_status: int | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._thread.start()

    def poll(self) -> int | None:
        return self._status

    def wait(self, timeout: float | None = None) -> int:
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired("worker", timeout or 0.0)
        self._thread.join()
        assert self._status is not None
        return self._status

    def hold(self) -> None:
        """Take no message until `release`."""
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    def kill(self) -> None:
        self._open.set()
        with suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)

    def crash(self) -> None:
        """As a process that a signal for a broken program ends."""
        self._crash_status = -signal.SIGSEGV
        self.kill()

    def _held(self, messages: Iterator[ToWorker]) -> Iterator[ToWorker]:
        for message in messages:
            self._open.wait()
            yield message

    def _run(self) -> None:
        status = 1
        try:
            with self._end, closing(_LoseableEnd(self._end)) as end:
                messages = end.messages()
                first = next(messages, None)
                if isinstance(first, Configure):
                    log = Logger(process="worker")
                    messages = self._held(messages)
                    status = work(end, messages, first.settings, log, lambda: None, self._extensions)
        finally:
            self._status = self._crash_status or status
            self._ended.set()


class ThreadService(ServiceClient):
    """`workers` grows by each worker that was started."""

    def __init__(self, folder: Path, extensions: Extensions) -> None:
        super().__init__(folder)
        self._extensions = extensions
        self.workers: list[ThreadWorker] = []

    def spawn(self, end: socket.socket) -> ThreadWorker:
        self.workers.append(ThreadWorker(end, self._extensions))
        return self.workers[-1]

    def hold_worker(self) -> None:
        self.workers[-1].hold()

    def release_worker(self) -> None:
        self.workers[-1].release()

    def lose_worker(self) -> None:
        self.workers[-1].kill()


@contextmanager
def service_in_threads(
    folder: Path,
    tasks: TaskRegistry | None = None,
    extensions: Extensions | None = None,
    fetching: Outbound | None = None,
    telling: Outbound | None = None,
    putting: Outbound | None = None,
    /,
    *,
    wait_for_port_only: bool = False,
    **settings: object,
) -> Iterator[ThreadService]:
    """settings: by their names, as environment variables would have them. tasks, extensions: what the service
    and its workers know beyond the package. fetching, telling, putting: in the place of what the settings
    allow.
    """
    chosen: dict[str, Any] = {
        "device": "cpu",
        "port": 0,
        "data_dir": folder / "data",
        "models_dir": folder / "models",
        "log_format": "json",
        **settings,
    }
    environment = {f"PIXELMEND_{name.upper()}": str(value) for name, value in chosen.items()}
    with patch.dict(os.environ, environment):
        parsed = Settings(_env_file=None)
    ours = logging.getLogger(SERVICE_LOGGER)
    outer = (ours.handlers[:], ours.level, ours.propagate)
    # Never closed: a thread that still writes to it would write to the next file of that number.
    configure_logging("info", "json", (folder / "log").open("a"))
    (own,) = ours.handlers
    try:
        with _served(
            folder, parsed, wait_for_port_only, tasks, extensions, fetching, telling, putting
        ) as running:
            yield running
        running.require_no_bug()
    finally:
        # Another service may have been started meanwhile, and outlive this one.
        if own in ours.handlers:
            ours.handlers, level, ours.propagate = outer
            ours.setLevel(level)


@contextmanager
def _served(
    folder: Path,
    settings: Settings,
    wait_for_port_only: bool,
    tasks: TaskRegistry | None,
    extensions: Extensions | None,
    fetching: Outbound | None,
    telling: Outbound | None,
    putting: Outbound | None,
) -> Iterator[ThreadService]:
    extensions = extensions or Extensions()
    running = ThreadService(folder, extensions)
    service = build_service(
        settings,
        Logger(process="api"),
        spawn=running.spawn,
        tasks=tasks,
        formats=extensions.formats,
        fetching=fetching,
        telling=telling,
        putting=putting,
    )
    server = server_for(service)
    sockets = bound_sockets(service.settings.host, service.settings.port)
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        await server.serve(sockets)

    def run() -> None:
        with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run, name="service", daemon=True)
    thread.start()
    try:
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while not server.started:
            assert thread.is_alive(), f"the service did not start:\n{running.log_excerpt}"
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
        running.base_url = url_of(sockets[0])
        running.client = client_of(running.base_url)
        if not wait_for_port_only:
            running.wait_until_ready()
        yield running
    finally:
        running.client.close()
        if thread.is_alive():
            loops[0].call_soon_threadsafe(server.stop)
        thread.join(STOP_TIMEOUT_S)
        assert not thread.is_alive(), f"the service did not leave:\n{running.log_excerpt}"
