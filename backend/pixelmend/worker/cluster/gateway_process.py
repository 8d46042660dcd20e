"""The gateway's process: `python -m pixelmend.worker.cluster.gateway_process FD`, started by the pool."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
from pathlib import Path

from pixelmend.core.config import Settings
from pixelmend.core.telemetry import Logger, configure_logging
from pixelmend.worker.cluster.gateway import Gateway
from pixelmend.worker.cluster.messages import (
    Begin,
    FromGateway,
    ToSession,
    Unavailable,
    Waiting,
    from_gateway_codec,
    to_gateway_codec,
)
from pixelmend.worker.protocol import MAX_LINE_BYTES


def main(fd: int) -> int:
    # As in a worker: the pool decides when this ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return asyncio.run(_serve(socket.socket(fileno=fd)))


async def _serve(end: socket.socket) -> int:
    reader, writer = await asyncio.open_connection(sock=end, limit=MAX_LINE_BYTES)
    incoming, outgoing = to_gateway_codec(), from_gateway_codec()
    begin = incoming.decode(await reader.readline())
    if not isinstance(begin, Begin):
        return 2
    settings = begin.settings
    log_stream = os.fdopen(os.dup(2), "w")
    configure_logging(settings.log_level, settings.log_format, log_stream)
    log = Logger(process="gateway", pid=os.getpid())
    _silence(settings.data_dir / "ray.log")
    _choose_environment(settings)
    from pixelmend.worker.cluster.ray_deployment import RayDeployment

    def send(message: FromGateway) -> None:
        writer.write(outgoing.encode(message))

    deployment = RayDeployment(settings, log)
    gateway = Gateway(settings, deployment, send, log)
    running = asyncio.create_task(gateway.run())
    reading = asyncio.create_task(_read(reader, gateway))
    await asyncio.wait({running, reading}, return_when=asyncio.FIRST_COMPLETED)
    if running.done() and running.exception() is not None:
        error = running.exception()
        known = isinstance(error, ConnectionError)
        log.error("the gateway ends", reason=str(error), exc_info=None if known else error)
        with contextlib.suppress(OSError):
            send(Unavailable(str(error)))
            await writer.drain()
        return 3
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    # Without a farewell the API process was killed: the next one finds the replicas as they are.
    await deployment.stop(ends=reading.result())
    return 0


async def _read(reader: asyncio.StreamReader, gateway: Gateway) -> bool:
    """Until the other side says or shows that it is gone. Returns whether it said so."""
    codec = to_gateway_codec()
    with contextlib.suppress(ConnectionError):  # it died with messages of ours that it had not read
        while line := await reader.readline():
            message = codec.decode(line)
            if isinstance(message, ToSession | Waiting):
                gateway.take(message)
            else:
                return True
    return False


def _silence(path: Path) -> None:
    """What Ray's libraries print goes into a file, and not among our log lines."""
    with path.open("wb") as file:
        for descriptor in (1, 2):
            os.dup2(file.fileno(), descriptor)


def _choose_environment(settings: Settings) -> None:
    """Before Ray is imported, which reads it then; what we start inherits it."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    if settings.cluster == "local" and os.environ["RAY_AUTH_MODE"] == "token":
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    # Replicas import this very package, with this Python.
    os.environ.setdefault("PYTHONPATH", str(Path(__file__).parents[3]))


if __name__ == "__main__":
    status = main(int(sys.argv[1]))
    # Ray's threads are not waited for.
    os._exit(status)
