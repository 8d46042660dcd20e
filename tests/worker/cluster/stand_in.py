"""A cluster without Ray: the real pool, gateway and engines, in threads."""

import asyncio
import socket
import subprocess
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from pixelmend.core.config import Settings
from pixelmend.core.telemetry import Logger
from pixelmend.worker.cluster.answer import Part
from pixelmend.worker.cluster.deployment import NotRouted, ReplicaGone
from pixelmend.worker.cluster.engine import Engine
from pixelmend.worker.cluster.gateway import Gateway
from pixelmend.worker.cluster.messages import (
    Begin,
    FromGateway,
    ToSession,
    Waiting,
    from_gateway_codec,
    to_gateway_codec,
)
from pixelmend.worker.process import Extensions
from tests.inprocess import ThreadWorker


class LocalDeployment:
    """Calls engines as Ray's handle would; references are the bytes themselves."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self.engines: dict[str, Engine] = {}
        self.workers: dict[str, list[ThreadWorker]] = {}
        self.retired: set[str] = set()
        self.lost: set[str] = set()
        self.answers = True
        self.swallowed: list[str] = []
        """The next calls of these methods are never answered."""
        self.told: list[bytes] = []
        """The lines for workers that arrived."""
        self.put_bytes = 0
        self.faults: list[str] = []
        """What befalls the next jobs on their way: its end after "nothing" or after "taking",
        or "silence after nothing" or "silence after taking"; or the replica's loss "after a segment"."""

    async def start(self) -> None:
        await self.add("r0")

    async def add(self, replica: str) -> None:
        folder = Path(tempfile.mkdtemp(prefix=f"{replica}-", dir=self._folder))
        own = self.workers[replica] = []

        def spawn(end: socket.socket) -> ThreadWorker:
            own.append(ThreadWorker(end, Extensions()))
            return own[-1]

        engine = Engine(self._settings, folder, Logger(process="replica"), spawn)
        engine.start()
        await engine.wait_until_ready()
        self.engines[replica] = engine

    async def check(self) -> None:
        if not self.answers:
            raise TimeoutError

    async def replicas(self) -> frozenset[str]:
        return frozenset(self.engines) - self.retired - self.lost

    async def call(self, replica: str, method: str, *arguments: Any) -> Any:
        self._require(replica)
        if method in self.swallowed:
            self.swallowed.remove(method)
            await asyncio.Event().wait()
        if method == "tell":
            self.told.extend(arguments)
        return await getattr(self.engines[replica], method)(*arguments)

    async def stream(self, replica: str, method: str, *arguments: Any) -> AsyncIterator[Part]:
        self._require(replica)
        fault = self.faults.pop(0) if self.faults else ""
        if fault.endswith("nothing"):
            await self._befall(fault)
            return
        parts = getattr(self.engines[replica], method)(*arguments)
        try:
            async for part in parts:
                if fault.endswith("taking") and part.kind != "taken":
                    await self._befall(fault)
                    return
                if fault == "after a segment" and part.data.startswith(b"00001"):
                    self.lost.add(replica)
                if replica in self.lost:
                    raise ReplicaGone("killed by the test")
                yield part
        finally:
            await parts.aclose()

    async def _befall(self, fault: str) -> None:
        if fault.startswith("silence"):
            await asyncio.Event().wait()

    def put(self, data: bytes) -> Any:
        self.put_bytes += len(data)
        return data

    async def stop(self, *, ends: bool) -> None:
        for engine in self.engines.values():
            await engine.stop()

    def _require(self, replica: str) -> None:
        if replica in self.lost:
            raise ReplicaGone("killed by the test")
        if replica in self.retired or replica not in self.engines:
            raise NotRouted(replica)


class ThreadGateway:
    """A gateway in a thread, which stands in for a process of its own, until it is killed or left."""

    pid = 0

    def __init__(self, end: socket.socket, folder: Path) -> None:
        self._end = end.dup()
        self._folder = folder
        self._ended = threading.Event()
        self.deployment: LocalDeployment | None = None
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="gateway", daemon=True)
        self._thread.start()

    def poll(self) -> int | None:
        return 0 if self._ended.is_set() else None

    def wait(self, timeout: float | None = None) -> int:
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired("gateway", timeout or 0.0)
        self._thread.join()
        return 0

    def kill(self) -> None:
        with suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
                runner.run(self._serve())
        finally:
            self._end.close()
            self._ended.set()

    async def _serve(self) -> None:
        reader, writer = await asyncio.open_connection(sock=self._end, limit=1 << 20)
        incoming, outgoing = to_gateway_codec(), from_gateway_codec()
        begin = incoming.decode(await reader.readline())
        assert isinstance(begin, Begin)

        def send(message: FromGateway) -> None:
            writer.write(outgoing.encode(message))

        self.deployment = LocalDeployment(begin.settings, self._folder)
        gateway = Gateway(begin.settings, self.deployment, send, Logger(process="gateway"))
        running = asyncio.create_task(gateway.run())
        try:
            with suppress(ConnectionError):
                while line := await reader.readline():
                    message = incoming.decode(line)
                    if not isinstance(message, ToSession | Waiting):
                        break
                    gateway.take(message)
        finally:
            running.cancel()
            await asyncio.wait({running})
            await self.deployment.stop(ends=True)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
