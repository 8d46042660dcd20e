"""Work that a thread does for the event loop."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def to_its_end(work: Awaitable[T]) -> T:
    """What `work` returns or raises, never before it has ended.

    A thread cannot be cancelled: `asyncio.to_thread` would raise CancelledError at once, and the thread would
    write a file that its caller has just removed. Here CancelledError is raised once the thread is done.
    """
    ending = asyncio.ensure_future(work)
    cancelled = False
    while not ending.done():
        try:
            await asyncio.wait({ending})
        except asyncio.CancelledError:
            cancelled = True
    if not cancelled:
        return ending.result()
    if not ending.cancelled():
        ending.exception()  # asyncio would report one that was not looked at
    raise asyncio.CancelledError
