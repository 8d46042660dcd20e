"""ISO base media boxes: the containers that HEIC and AVIF are made of, walked within bounds."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from pixelmend.core.errors import CorruptImage

MAX_BOXES = 65_536
"""Boxes that one level may hold."""


@dataclass(frozen=True, slots=True)
class Box:
    """kind: four letters. The body is data[start:end]."""

    kind: bytes
    start: int
    end: int


def walk(data: bytes, start: int, end: int) -> Iterator[Box]:
    """The boxes that lie one after another in data[start:end].

    A box that claims to reach beyond `end` ends there, as it does in a truncated file. Raises CorruptImage
    for boxes that are shorter than their own head, or too many.
    """
    position = start
    for _ in range(MAX_BOXES):
        if position + 8 > end:
            return
        length, kind = struct.unpack_from(">I4s", data, position)
        head = 8
        if length == 1:
            if position + 16 > end:
                return
            length, head = struct.unpack_from(">Q", data, position + 8)[0], 16
        elif length == 0:  # up to the end of what contains it
            length = end - position
        if length < head:
            raise CorruptImage(f"a box of the file claims {length} bytes")
        yield Box(bytes(kind), position + head, min(end, position + length))
        position += length
    raise CorruptImage(f"the file has more than {MAX_BOXES} boxes on one level")


def full(data: bytes, box: Box) -> tuple[int, int, Box]:
    """Version and flags of a full box, and the box without them."""
    word: int = struct.unpack_from(">I", data, box.start)[0]
    return word >> 24, word & 0xFFFFFF, Box(box.kind, box.start + 4, box.end)


class Cursor:
    """Reads big-endian numbers of a box one after another; struct.error at its end."""

    def __init__(self, data: bytes, box: Box) -> None:
        self._data = data
        self._position = box.start
        self._end = box.end

    @property
    def position(self) -> int:
        return self._position

    @property
    def room(self) -> int:
        """Bytes left."""
        return self._end - self._position

    def number(self, size: int) -> int:
        """The next number of `size` bytes; 0 for a size of 0, which says that a field is absent."""
        if size > self.room:
            raise struct.error("the box ends within a number")
        value = int.from_bytes(self._data[self._position : self._position + size], "big")
        self._position += size
        return value

    def text(self) -> bytes:
        """Bytes up to the next zero, which is skipped."""
        raw = bytes(self._data[self._position : min(self._end, self._position + 256)])
        found = raw.partition(b"\0")[0]
        self._position += len(found) + 1
        return found
