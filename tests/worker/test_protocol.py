"""A service that was killed looks to its processes like one that closed, whatever it had not read."""

import asyncio
import socket
from contextlib import closing
from typing import cast

from pixelmend.worker.cluster.gateway import Gateway
from pixelmend.worker.cluster.gateway_process import _read
from pixelmend.worker.protocol import Heartbeat, WorkerEnd


def test_a_worker_s_inbox_ends() -> None:
    ours, theirs = socket.socketpair()
    with closing(theirs):
        end = WorkerEnd(theirs)
        end.send(Heartbeat(0.0))
        ours.close()  # which resets the connection, since something in it is unread
        assert list(end.messages()) == []


def test_a_gateway_s_inbox_ends_without_a_farewell() -> None:
    async def body() -> None:
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=theirs)
        writer.write(b"unread")
        await writer.drain()
        ours.close()
        assert await _read(reader, cast("Gateway", None)) is False
        writer.close()

    asyncio.run(body())
