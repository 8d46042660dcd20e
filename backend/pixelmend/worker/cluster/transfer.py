"""Files on their way to and from replicas: in chunks of bounded size, complete or absent."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from pixelmend.imaging.storage import storage_errors

CHUNK_BYTES = 4 << 20
"""A film's frame, a photograph or a piece of a poster; small enough to lie in memory several times."""


def chunks_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    for chunk in chunks_of(path):
        digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def written(path: Path, *, durable: bool = False) -> Iterator[IO[bytes]]:
    """A file that takes `path` once it is complete; nothing stays if the context is left by an exception.
    durable: it survives a power cut from then on.

    Raises StorageFull.
    """
    part = path.with_name(path.name + ".part")
    try:
        with storage_errors(path):
            with part.open("wb") as file:
                yield file
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)


async def resolve(chunk: Any) -> bytes:
    """What a reference stands for: bytes themselves, or something that can be awaited."""
    data: bytes = chunk if isinstance(chunk, bytes) else await chunk
    return data


async def receive(path: Path, chunks: Sequence[Any]) -> str:
    """Write what was sent as references; returns its sha256. Raises StorageFull and what they raise."""
    digest = hashlib.sha256()
    with written(path) as file:
        for chunk in chunks:
            data = await resolve(chunk)
            digest.update(data)
            file.write(data)
    return digest.hexdigest()
