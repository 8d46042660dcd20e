"""What a replica answers: to a job part by part, and to the question what is new."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from pixelmend.video.parts import FinishedFiles
from pixelmend.worker.cluster.transfer import CHUNK_BYTES


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a worker process. by_itself, crashed: as in `WorkerEvents`."""

    life: int
    reason: str
    by_itself: bool
    crashed: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """life: the number of the worker process, from 1; 0 while there is none. messages: lines, those since
    the one that was asked for, or all that counts of a life that the asker does not know. last: the number of
    the last message. ended: the last one that did. step_age_s: None without a worker that is ready.
    """

    life: int
    last: int
    messages: tuple[bytes, ...]
    ended: Ended | None
    step_age_s: float | None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a job's answer, by its kind.

    taken: the first part, once the files have arrived and the worker has the job. alive: it goes on. message:
    a line of the worker's. finished: what follows is a file of what a long job has finished, by its name in
    the folder. result: what follows is the result. chunk: a piece of that file, which ends with the first
    part of another kind. lost: the last part if the worker ended. stale: the only part if that life was over
    before the job came, or what was brought for it was given up.
    """

    kind: str
    data: bytes = b""


async def chunk_parts(file: IO[bytes]) -> AsyncIterator[Part]:
    while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
        yield Part("chunk", chunk)


async def finished_parts(files: FinishedFiles) -> AsyncIterator[Part]:
    """What was finished since the last call. It ends early if files are gone: their job is about to end."""
    with suppress(FileNotFoundError):
        for name in files.new():
            with (files.path / name).open("rb") as file:
                yield Part("finished", name.encode())
                async for part in chunk_parts(file):
                    yield part
