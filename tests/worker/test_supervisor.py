"""A worker that cannot even be spawned is told of and tried again; one that starts gets what counts now."""

import asyncio
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pixelmend.core.config import Settings
from pixelmend.core.management import management_of
from pixelmend.core.telemetry import Logger
from pixelmend.models.description import DeviceDescription
from pixelmend.worker.protocol import (
    Configure,
    FromWorker,
    Manage,
    Ready,
    ToWorker,
    from_worker_codec,
    to_worker_codec,
)
from pixelmend.worker.supervisor import Supervisor


class Losses:
    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.crashes: list[bool] = []
        self.ready = asyncio.Event()

    def on_worker_ready(self, index: int) -> None:
        self.ready.set()

    def on_worker_message(self, index: int, message: FromWorker) -> None:
        raise AssertionError(f"nothing was asked, and {message} came")

    def on_worker_lost(self, index: int, reason: str, *, by_itself: bool, crashed: bool = False) -> None:
        self.reasons.append(reason)
        self.crashes.append(crashed)


@pytest.mark.full
def test_no_process_at_all_is_told_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body() -> None:
        settings = Settings(_env_file=None, device="cpu", data_dir=tmp_path, models_dir=tmp_path)
        supervisor, losses = Supervisor(settings, Logger()), Losses()
        python = sys.executable
        monkeypatch.setattr(sys, "executable", str(tmp_path / "absent"))
        supervisor.start(losses, 0)
        try:
            while len(losses.reasons) < 2:
                await asyncio.sleep(0.01)
            status = supervisor.status()
            assert status.hopeless
            assert status.problem == "no worker process can be started: No such file or directory"
            monkeypatch.setattr(sys, "executable", python)
            await losses.ready.wait()
            assert supervisor.status().ready
            assert not supervisor.status().hopeless
            assert supervisor.status().problem is None
        finally:
            await supervisor.stop()

    asyncio.run(asyncio.wait_for(body(), 120))


class SocketWorker:
    """The test speaks for it, at the other end of a real socket."""

    pid = 0

    def __init__(self, theirs: socket.socket) -> None:
        self._socket = theirs.dup()
        self._received = b""
        self._ended = threading.Event()

    async def heard(self) -> ToWorker:
        while b"\n" not in self._received:
            self._received += await asyncio.to_thread(self._socket.recv, 65536)
        line, _, self._received = self._received.partition(b"\n")
        return to_worker_codec().decode(line)

    def say(self, message: FromWorker) -> None:
        self._socket.sendall(from_worker_codec().encode(message))

    def poll(self) -> int | None:
        return 0 if self._ended.is_set() else None

    def wait(self, timeout: float | None = None) -> int:
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired("worker", timeout or 0.0)
        return 0

    def kill(self) -> None:
        if not self._ended.is_set():
            self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
            self._ended.set()


def test_settings_that_change_while_a_worker_starts_reach_it_and_those_after_it(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, device="cpu", data_dir=tmp_path, models_dir=tmp_path)
    changed = management_of(settings).changed({"idle_timeout_minutes": 7})
    workers: list[SocketWorker] = []

    def spawn(theirs: socket.socket) -> SocketWorker:
        workers.append(SocketWorker(theirs))
        return workers[-1]

    async def configured(index: int) -> float:
        while len(workers) <= index:
            await asyncio.sleep(0.01)
        first = await workers[index].heard()
        assert isinstance(first, Configure)
        return first.settings.idle_timeout_minutes

    async def body() -> None:
        supervisor = Supervisor(settings, Logger(), spawn=spawn)
        supervisor.start(Losses(), 0)
        try:
            assert await configured(0) == 30
            supervisor.manage(changed)  # the worker cannot hear it yet
            workers[0].say(Ready(DeviceDescription("cpu", "CPU", 1)))
            assert await workers[0].heard() == Manage(changed)
            workers[0].kill()
            assert await configured(1) == 7
        finally:
            await supervisor.stop()

    asyncio.run(asyncio.wait_for(body(), 60))


@pytest.mark.parametrize(
    ("name", "crashed"), [("SIGSEGV", True), ("SIGABRT", True), ("SIGFPE", True), ("SIGKILL", False)]
)
def test_a_worker_that_crashed_is_told_from_one_that_was_killed(
    tmp_path: Path, name: str, crashed: bool
) -> None:
    settings = Settings(_env_file=None, device="cpu", data_dir=tmp_path, models_dir=tmp_path)
    program = f"import os, signal; os.kill(os.getpid(), signal.{name})"

    def spawn(theirs: socket.socket) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", program], pass_fds=[theirs.fileno()])

    async def body() -> None:
        supervisor, losses = Supervisor(settings, Logger(), spawn=spawn), Losses()
        supervisor.start(losses, 0)
        try:
            while not losses.reasons:
                await asyncio.sleep(0.01)
        finally:
            await supervisor.stop()
        assert losses.reasons[0] == f"ended by {name}"
        assert losses.crashes[0] is crashed

    asyncio.run(asyncio.wait_for(body(), 60))
