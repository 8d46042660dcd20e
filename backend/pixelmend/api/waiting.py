"""Waiting for something on behalf of a client, for as long as the client is there."""

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request

from pixelmend.core.errors import DeadlineExceeded

T = TypeVar("T")


async def executed(request: Request, work: Awaitable[T], timeout_s: float) -> T:
    """What workers were asked to do, done. Raises what they refuse with, and DeadlineExceeded."""
    try:
        return await while_connected(request, work, timeout_s)
    except TimeoutError as error:
        raise DeadlineExceeded(
            f"not done within request_timeout_s={timeout_s:g}; it goes on, and /api/models shows its end"
        ) from error


async def while_connected(request: Request, work: Awaitable[T], timeout_s: float) -> T:
    """Until `work` is done. Raises what it raises, ClientDisconnect, and TimeoutError; it is cancelled then.

    The request's body must have been read, or be one that is not wanted.
    """
    done = asyncio.ensure_future(work)
    gone = asyncio.create_task(_disconnected(request))
    try:
        ended, _ = await asyncio.wait({done, gone}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if done in ended:
            return done.result()
        if gone in ended:
            raise ClientDisconnect
        raise TimeoutError
    finally:
        for waiting in (done, gone):
            waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await waiting


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
