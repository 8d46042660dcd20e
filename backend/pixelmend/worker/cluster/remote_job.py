"""A job in a replica: its files there and back, and what is told of it meanwhile."""

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixelmend.video.parts import FinishedFiles, place_in_copy
from pixelmend.worker.cluster.answer import Part
from pixelmend.worker.cluster.brought import SOURCE
from pixelmend.worker.cluster.deployment import Deployment, ReplicaGone
from pixelmend.worker.cluster.transfer import CHUNK_BYTES, chunks_of, written
from pixelmend.worker.protocol import Submit

TAKING_TIMEOUT_S = 30.0
SLOWEST_BYTES_PER_S = 1_000_000
"""How slowly files may come to a replica."""
BROUGHT_AT_ONCE = 8
"""Chunks of a film that lie in the object store at one time, 32 MiB of its 80 MB or more."""
SILENCE_TIMEOUT_S = 60.0
"""An answer that has begun is heard of every `engine.ALIVE_PERIOD_S`."""


class NotHeard(Exception):
    """Nothing came of the job in time: its request, or the rest of the answer, may be lost."""


def taking_timeout_s(size_bytes: int) -> float:
    """How long files of that size may take to a replica."""
    return TAKING_TIMEOUT_S + size_bytes / SLOWEST_BYTES_PER_S


@dataclass(eq=False, slots=True)
class RemoteJob:
    """line: `submit` for the wire. life: of the worker it is meant for."""

    deployment: Deployment
    replica: str
    life: int
    submit: Submit
    line: bytes

    async def messages(self) -> AsyncIterator[bytes]:
        """What the worker tells, as lines. The result is complete before the last one comes, or absent. If
        the worker ended, or the answer broke off, no line tells of the job's end. What a long job has
        finished lies in the task's folder by then, for the next attempt to go on from.

        Raises NotHeard, ReplicaGone, NotRouted, StorageFull and OSError. Left early, the worker gives the job
        up.
        """
        task = self.submit.task
        image, mask, key = [], None, None
        if task.parts_path is not None:
            key = await self._bring(task.input_path, task.parts_path)
        else:
            image = await asyncio.to_thread(self._references, task.input_path)
        if task.mask_path is not None:
            mask = await asyncio.to_thread(self._references, task.mask_path)
        stream = self.deployment.stream(self.replica, "run", self.life, self.line, image, mask, key)
        del image, mask  # what has arrived needs no room here
        async with contextlib.aclosing(stream):  # type: ignore[type-var]
            parts = self._heard(stream)
            async for part in parts:
                following: Part | None = part
                while following is not None and following.kind in ("finished", "result"):
                    following = await self._keep(following, parts)
                if following is not None and following.kind == "message":
                    yield following.data

    async def _keep(self, announced: Part, parts: AsyncIterator[Part]) -> Part:
        """Write the file that comes. Returns the part after it."""
        task = self.submit.task
        path = task.output_path
        if announced.kind == "finished":
            assert task.parts_path is not None
            path = place_in_copy(task.parts_path, announced.data.decode())
        with written(path, durable=announced.kind == "finished") as file:
            async for part in parts:
                if part.kind != "chunk":
                    return part
                await asyncio.to_thread(file.write, part.data)
            raise ReplicaGone("its answer broke off within a file")

    async def _bring(self, source: Path, finished: Path) -> str:
        """Bring what a long job goes on from, a little at a time. Returns the key to it."""
        key = f"{self.submit.task.id}-{secrets.token_hex(4)}"
        await self._bring_file(key, SOURCE, source)
        for name in await asyncio.to_thread(FinishedFiles(finished).new):
            await self._bring_file(key, name, finished / name)
        return key

    async def _bring_file(self, key: str, name: str, path: Path) -> None:
        chunks = chunks_of(path)
        limit_s = taking_timeout_s(BROUGHT_AT_ONCE * CHUNK_BYTES)
        while references := await asyncio.to_thread(self._put, itertools.islice(chunks, BROUGHT_AT_ONCE)):
            bringing = self.deployment.call(self.replica, "bring", key, name, references)
            try:
                await asyncio.wait_for(bringing, limit_s)
            except TimeoutError:
                what = f"replica {self.replica} does not have the next part of the film"
                raise NotHeard(f"{what} after {limit_s:.0f} s") from None

    async def _heard(self, parts: AsyncIterator[Part]) -> AsyncIterator[Part]:
        """The parts. A cluster that loses a machine may lose a request or an answer, and never tell."""
        task = self.submit.task
        paths = [path for path in (task.input_path, task.mask_path) if path is not None]
        size_bytes = sum(path.stat().st_size for path in paths)
        limit_s = taking_timeout_s(size_bytes)
        while True:
            try:
                part = await asyncio.wait_for(anext(parts, None), limit_s)
            except TimeoutError:
                raise NotHeard(f"nothing came of replica {self.replica} within {limit_s:.0f} s") from None
            if part is None:
                return
            yield part
            limit_s = SILENCE_TIMEOUT_S

    def _references(self, path: Path) -> list[Any]:
        return self._put(chunks_of(path))

    def _put(self, chunks: Iterable[bytes]) -> list[Any]:
        return [self.deployment.put(chunk) for chunk in chunks]
