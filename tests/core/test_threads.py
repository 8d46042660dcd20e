"""A caller that is cancelled while a thread works for it goes on once the thread is done."""

import asyncio
import threading
from typing import Any

import pytest

from pixelmend.core.threads import to_its_end


def test_result_and_error_are_passed_on() -> None:
    def fail() -> None:
        raise OSError("no room")

    async def body() -> None:
        assert await to_its_end(asyncio.to_thread(lambda: 7)) == 7
        with pytest.raises(OSError, match="no room"):
            await to_its_end(asyncio.to_thread(fail))

    asyncio.run(body())


@pytest.mark.parametrize("fails", [False, True])
def test_cancelled_however_often_it_ends_after_the_thread(fails: bool) -> None:
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()
    complaints: list[dict[str, Any]] = []

    def work() -> None:
        begun.set()
        may_end.wait(10)
        ended.set()
        if fails:
            raise OSError("no room")

    async def body() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        waiting = asyncio.create_task(to_its_end(asyncio.to_thread(work)))
        await asyncio.to_thread(begun.wait)
        for _ in range(3):
            waiting.cancel()
            await asyncio.sleep(0.01)
            assert not waiting.done()
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert ended.is_set()

    asyncio.run(body())
    assert complaints == []
