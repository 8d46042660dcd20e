"""Finished images as base64 within JSON, encoded while they are sent."""

import asyncio
import base64
import json
import secrets
import zipfile
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from pixelmend.core.errors import InternalError

# A multiple of 3, so that no group of base64 is cut.
_READ_AT_ONCE_BYTES = 3 << 16


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file on the disk; member: of the ZIP that it is. size_bytes: of what is sent."""

    path: Path
    size_bytes: int
    member: str | None = None

    @classmethod
    def whole(cls, path: Path) -> "ImageFile":
        return cls(path, path.stat().st_size)

    def open(self) -> IO[bytes]:
        """Its content, from the beginning."""
        if self.member is None:
            return self.path.open("rb")
        # What is read keeps the archive's file open itself.
        with zipfile.ZipFile(self.path) as archive:
            return archive.open(self.member)


class JsonWithImages(StreamingResponse):
    """document: is given one text for each of `images`, in their order, to put where its base64 is wanted."""

    def __init__(
        self,
        document: Callable[[Sequence[str]], dict[str, Any]],
        images: Sequence[ImageFile],
        headers: dict[str, str],
        release: Callable[[], None],
    ) -> None:
        mark = secrets.token_hex(16)
        marks = [f"{mark}{number}." for number in range(len(images))]
        text = json.dumps(document(marks), ensure_ascii=True)
        parts: list[bytes | ImageFile] = []
        for place, image in zip(marks, images, strict=True):
            before, found, text = text.partition(place)
            assert found, "the images are in the document, in their order"
            parts += [before.encode(), image]
        parts.append(text.encode())
        length = sum(len(part) if isinstance(part, bytes) else _base64_bytes(part) for part in parts)
        headers |= {"Content-Length": str(length), "Cache-Control": "no-store"}
        super().__init__(_sent(parts), headers=headers, media_type="application/json")
        self._release = release

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._release()


def _base64_bytes(image: ImageFile) -> int:
    return -(-image.size_bytes // 3) * 4


async def _sent(parts: Sequence[bytes | ImageFile]) -> AsyncIterator[bytes]:
    for part in parts:
        if isinstance(part, bytes):
            yield part
            continue
        try:
            with await asyncio.to_thread(part.open) as file:
                while piece := await asyncio.to_thread(_encoded, file):
                    yield piece
        except OSError as error:  # which would be taken for a client that is gone
            raise InternalError(f"the result was lost while it was sent: {error.strerror}") from error


def _encoded(file: IO[bytes]) -> bytes:
    return base64.b64encode(file.read(_READ_AT_ONCE_BYTES))
