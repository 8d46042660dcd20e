"""A job in a replica: its files there and back, and what is told of it meanwhile."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixelmend.worker.cluster.deployment import Deployment, ReplicaGone
from pixelmend.worker.cluster.transfer import chunks_of, written
from pixelmend.worker.protocol import Submit


@dataclass(eq=False, slots=True)
class RemoteJob:
    """line: `submit` for the wire. life: of the worker it is meant for. lost: that has ended meanwhile."""

    deployment: Deployment
    replica: str
    life: int
    submit: Submit
    line: bytes
    lost: bool = False

    async def messages(self) -> AsyncIterator[bytes]:
        """What the worker tells, as lines. The result is complete before the last one comes, or absent.

        Raises ReplicaGone, NotRouted, StorageFull and OSError. Left early, the worker gives the job up.
        """
        task = self.submit.task
        image = await asyncio.to_thread(self._references, task.input_path)
        mask = None
        if task.mask_path is not None:
            mask = await asyncio.to_thread(self._references, task.mask_path)
        parts = self.deployment.stream(self.replica, "run", self.life, self.line, image, mask)
        del image, mask  # what has arrived needs no room here
        last = b""
        async with contextlib.aclosing(parts):  # type: ignore[type-var]
            with contextlib.ExitStack() as stack:
                file = None
                async for part in parts:
                    if part.kind == "chunk":
                        file = file or stack.enter_context(written(task.output_path))
                        await asyncio.to_thread(file.write, part.data)
                    elif part.kind == "message" and file is None:
                        yield part.data
                    elif part.kind == "message":
                        last = part.data
                    else:
                        self.lost = True
                if file is not None and not last:
                    raise ReplicaGone("its answer broke off within a result")
        if last:
            yield last

    def _references(self, path: Path) -> list[Any]:
        return [self.deployment.put(chunk) for chunk in chunks_of(path)]
