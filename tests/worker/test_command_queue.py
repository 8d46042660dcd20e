"""What operators ask of a worker is asked once, a few things at a time, and for those who still wait."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from pixelmend.core.errors import ModelHeld, NoWorker, QueueFull
from pixelmend.models.memory import FreedMemory
from pixelmend.worker.command_queue import AT_A_TIME, MAX_COMMANDS, CommandQueue
from pixelmend.worker.commands import Command, LoadModel, UnloadAll, UnloadModel
from pixelmend.worker.protocol import CommandRequest, CommandResponse, Problem, ToWorker


class Worker:
    """Remembers what it is sent, and answers when the test says so."""

    def __init__(self) -> None:
        self.sent: list[CommandRequest] = []
        self.done: list[Command] = []
        self.line = CommandQueue(self.send, lambda command, _: self.done.append(command))

    def send(self, message: ToWorker) -> bool:
        assert isinstance(message, CommandRequest)
        self.sent.append(message)
        return True

    def answer(self, at: int, problem: Problem | None = None) -> None:
        self.line.on_response(CommandResponse(self.sent[at].request_id, problem))


def on_a_loop(body: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(body(), 30)

    asyncio.run(bounded())


async def ask(worker: Worker, *commands: Command) -> list[asyncio.Task[FreedMemory | None]]:
    tasks = [asyncio.create_task(worker.line.execute(command)) for command in commands]
    await asyncio.sleep(0)
    return tasks


def test_the_same_is_asked_once_and_all_hear_of_it() -> None:
    async def body() -> None:
        worker = Worker()
        tasks = await ask(worker, *[UnloadModel("a")] * 1000)
        assert len(worker.sent) == 1
        worker.answer(0)
        await asyncio.gather(*tasks)
        tasks = await ask(worker, *[UnloadModel("a")] * 3)
        worker.answer(1, Problem("model-held", "pinned"))
        for task in tasks:
            with pytest.raises(ModelHeld):
                await task
        assert worker.done == [UnloadModel("a")]

    on_a_loop(body)


def test_what_was_overtaken_is_not_joined() -> None:
    async def body() -> None:
        worker = Worker()
        await ask(worker, LoadModel("a"), UnloadModel("a"), LoadModel("b"), LoadModel("a"))
        assert [message.command for message in worker.sent] == [
            LoadModel("a"),
            UnloadModel("a"),
            LoadModel("b"),
            LoadModel("a"),
        ]
        worker.line.worker_lost("by the test")

    on_a_loop(body)


def test_few_are_sent_at_a_time_and_more_than_a_bound_are_refused() -> None:
    async def body() -> None:
        worker = Worker()
        tasks = await ask(worker, *[LoadModel(f"{number}") for number in range(MAX_COMMANDS)])
        assert len(worker.sent) == AT_A_TIME
        with pytest.raises(QueueFull, match=f"{MAX_COMMANDS} commands"):
            await worker.line.execute(LoadModel("one more"))
        for number in range(MAX_COMMANDS):
            worker.answer(number)
        await asyncio.gather(*tasks)
        assert len(worker.sent) == len(worker.done) == MAX_COMMANDS

    on_a_loop(body)


def test_what_nobody_waits_for_is_dropped_unless_a_worker_has_it() -> None:
    async def body() -> None:
        worker = Worker()
        tasks = await ask(worker, *[LoadModel(f"{number}") for number in range(AT_A_TIME + 2)])
        (joined,) = await ask(worker, LoadModel(f"{AT_A_TIME + 1}"))
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for number in range(AT_A_TIME):
            worker.answer(number)
        assert [message.command for message in worker.sent[AT_A_TIME:]] == [LoadModel(f"{AT_A_TIME + 1}")]
        # What a worker has done has happened, even if its client has gone.
        assert len(worker.done) == AT_A_TIME
        worker.line.worker_lost("by the test")
        with pytest.raises(NoWorker, match="by the test"):
            await joined

    on_a_loop(body)


def test_what_concerns_all_models_overtakes_what_concerns_one() -> None:
    async def body() -> None:
        worker = Worker()
        await ask(worker, LoadModel("a"), UnloadAll(), LoadModel("a"), UnloadAll())
        assert [message.command for message in worker.sent] == [
            LoadModel("a"),
            UnloadAll(),
            LoadModel("a"),
            UnloadAll(),
        ]

    on_a_loop(body)
