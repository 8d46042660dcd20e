"""A job in a replica: its files there and back, and what is told of it meanwhile."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixelmend.worker.cluster.deployment import Deployment, ReplicaGone
from pixelmend.worker.cluster.engine import Part
from pixelmend.worker.cluster.transfer import chunks_of, written
from pixelmend.worker.protocol import Submit

TAKING_TIMEOUT_S = 30.0
SLOWEST_BYTES_PER_S = 1_000_000
"""How slowly files may come to a replica."""
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
        the worker ended, or the answer broke off, no line tells of the job's end.

        Raises NotHeard, ReplicaGone, NotRouted, StorageFull and OSError. Left early, the worker gives the job
        up.
        """
        task = self.submit.task
        image = await asyncio.to_thread(self._references, task.input_path)
        mask = None
        if task.mask_path is not None:
            mask = await asyncio.to_thread(self._references, task.mask_path)
        stream = self.deployment.stream(self.replica, "run", self.life, self.line, image, mask)
        del image, mask  # what has arrived needs no room here
        last = b""
        async with contextlib.aclosing(stream):  # type: ignore[type-var]
            with contextlib.ExitStack() as stack:
                file = None
                async for part in self._heard(stream):
                    if part.kind == "chunk":
                        file = file or stack.enter_context(written(task.output_path))
                        await asyncio.to_thread(file.write, part.data)
                    elif part.kind == "message" and file is None:
                        yield part.data
                    elif part.kind == "message":
                        last = part.data
                if file is not None and not last:
                    raise ReplicaGone("its answer broke off within a result")
        if last:
            yield last

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
        return [self.deployment.put(chunk) for chunk in chunks_of(path)]
