"""Work that is done again and again says when it is not done."""

import asyncio
from collections.abc import Callable

from pixelmend.core.background import Repeated
from pixelmend.core.telemetry import Logger


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def test_a_round_that_fails_is_a_problem_until_one_succeeds() -> None:
    failing, rounds = True, 0

    async def work() -> None:
        nonlocal rounds
        rounds += 1
        if failing:
            raise ValueError("a row that nobody can read")

    async def body() -> None:
        nonlocal failing
        repeated = Repeated("sweeper", work, 0.001, Logger())
        assert repeated.problem() is None
        repeated.start()
        await until(lambda: rounds > 3)
        assert repeated.problem() == "the background task sweeper failed: ValueError"
        failing = False
        await until(lambda: repeated.problem() is None)
        await repeated.stop()
        assert repeated.problem() is None

    asyncio.run(asyncio.wait_for(body(), 30))


def test_a_task_that_has_ended_is_a_problem() -> None:
    async def work() -> None:
        raise asyncio.CancelledError

    async def body() -> None:
        repeated = Repeated("sweeper", work, 0.001, Logger())
        repeated.start()
        await until(lambda: repeated.problem() == "the background task sweeper ended")

    asyncio.run(asyncio.wait_for(body(), 30))
