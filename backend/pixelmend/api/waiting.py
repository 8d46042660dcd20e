"""Waiting for something on behalf of a client, for as long as the client is there."""

import asyncio
import contextlib
from collections.abc import Awaitable

from starlette.requests import ClientDisconnect, Request


async def while_connected(request: Request, work: Awaitable[None], timeout_s: float) -> None:
    """Until `work` is done. Raises what it raises, ClientDisconnect, and TimeoutError; it is cancelled then.

    The request's body must have been read, or be one that is not wanted.
    """
    done = asyncio.ensure_future(work)
    gone = asyncio.create_task(_disconnected(request))
    try:
        ended, _ = await asyncio.wait({done, gone}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if done in ended:
            done.result()
        elif gone in ended:
            raise ClientDisconnect
        else:
            raise TimeoutError
    finally:
        for waiting in (done, gone):
            waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await waiting


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
