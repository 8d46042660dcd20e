"""What the `meta` box of a HEIC or AVIF file says of its items. Nothing outside the boxes is read."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

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
    """The boxes that follow one another in data[start:end].

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


MAX_ITEMS = 8_192
"""A 100-megapixel grid of 512 px tiles has 400."""
_MAX_PARTS = 65_536
"""Extents, properties or references of all items together."""
METADATA_KINDS = frozenset({b"Exif", b"mime", b"uri "})


@dataclass(slots=True)
class Item:
    """One image or one block of metadata. properties: its boxes, in order."""

    number: int
    kind: bytes = b""
    content_type: bytes = b""
    hidden: bool = False
    bytes_claimed: int = 0
    properties: list[Box] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reference:
    """`source` is a thumbnail (thmb) or auxiliary image (auxl) of `targets`, or a grid (dimg) of them."""

    kind: bytes
    source: int
    targets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Meta:
    """primary: the number of the item that the file shows."""

    primary: int
    items: dict[int, Item]
    references: tuple[Reference, ...]
    groups: tuple[bytes, ...]


def read_meta(data: bytes) -> Meta:
    """Parse the file's `meta` box.

    Metadata items may share their bytes, and a reader that copies each would need as many times the memory:
    what they claim together may not exceed the file. Raises CorruptImage, struct.error for short boxes.
    """
    meta = next((box for box in walk(data, 0, len(data)) if box.kind == b"meta"), None)
    if meta is None:
        raise CorruptImage("the HEIF file has no meta box")
    parts = {box.kind: box for box in walk(data, full(data, meta)[2].start, meta.end)}
    items: dict[int, Item] = {}
    if b"iinf" in parts:
        items = {item.number: item for item in _entries(data, parts[b"iinf"])}
    if b"iloc" in parts:
        _add_lengths(data, parts[b"iloc"], items)
    if b"iprp" in parts:
        _add_properties(data, parts[b"iprp"], items)
    claimed = sum(item.bytes_claimed for item in items.values() if item.kind in METADATA_KINDS)
    if claimed > len(data):
        raise CorruptImage(f"the HEIF file's metadata claims {claimed} bytes, the file has {len(data)}")
    groups = tuple(box.kind for box in _children(data, parts.get(b"grpl")))
    references = tuple(_references(data, parts[b"iref"])) if b"iref" in parts else ()
    return Meta(_primary(data, parts.get(b"pitm"), items), items, references, groups)


def _children(data: bytes, box: Box | None) -> Iterator[Box]:
    return walk(data, box.start, box.end) if box is not None else iter(())


def _primary(data: bytes, box: Box | None, items: dict[int, Item]) -> int:
    if box is None:
        raise CorruptImage("the HEIF file names no primary image")
    version, _, body = full(data, box)
    number = Cursor(data, body).number(2 if version == 0 else 4)
    if number not in items:
        raise CorruptImage(f"the HEIF file's primary image {number} is not there")
    return number


def _entries(data: bytes, box: Box) -> Iterator[Item]:
    version, _, body = full(data, box)
    cursor = Cursor(data, body)
    count = cursor.number(2 if version == 0 else 4)
    if count > MAX_ITEMS:
        raise CorruptImage(f"the HEIF file claims {count} items; {MAX_ITEMS} are read")
    for entry in walk(data, cursor.position, body.end):
        if entry.kind != b"infe":
            continue
        version, flags, inner = full(data, entry)
        if version < 2:  # older files have no kinds; no image format uses them
            continue
        cursor = Cursor(data, inner)
        number = cursor.number(2 if version == 2 else 4)
        cursor.number(2)
        kind = cursor.number(4).to_bytes(4, "big")
        cursor.text()
        content_type = cursor.text() if kind == b"mime" else b""
        yield Item(number, kind, content_type, hidden=bool(flags & 1))


def _add_lengths(data: bytes, box: Box, items: dict[int, Item]) -> None:
    version, _, body = full(data, box)
    cursor = Cursor(data, body)
    sizes = cursor.number(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    count = cursor.number(2 if version < 2 else 4)
    extents_read = 0
    for _ in range(min(count, MAX_ITEMS)):
        number = cursor.number(2 if version < 2 else 4)
        if version:
            cursor.number(2)
        cursor.number(2)
        cursor.number(base_size)
        extents = cursor.number(2)
        extents_read += extents
        if extents_read > _MAX_PARTS:
            raise CorruptImage(f"the HEIF file's items have more than {_MAX_PARTS} extents")
        total = 0
        for _ in range(extents):
            if version:
                cursor.number(index_size)
            cursor.number(offset_size)
            # A length of 0 means the whole file.
            total += cursor.number(length_size) or len(data)
        if number in items:
            items[number].bytes_claimed += total


def _add_properties(data: bytes, box: Box, items: dict[int, Item]) -> None:
    known: list[Box] = []
    for part in _children(data, box):
        if part.kind == b"ipco":
            known = list(_children(data, part))
    for part in _children(data, box):
        if part.kind == b"ipma":
            _associate(data, part, known, items)


def _associate(data: bytes, box: Box, known: list[Box], items: dict[int, Item]) -> None:
    version, flags, body = full(data, box)
    cursor = Cursor(data, body)
    associations = 0
    for _ in range(min(cursor.number(4), MAX_ITEMS)):
        number = cursor.number(2 if version == 0 else 4)
        count = cursor.number(1)
        associations += count
        if associations > _MAX_PARTS:
            raise CorruptImage(f"the HEIF file's items have more than {_MAX_PARTS} properties")
        for _ in range(count):
            index = cursor.number(2) & 0x7FFF if flags & 1 else cursor.number(1) & 0x7F
            if number in items and 0 < index <= len(known):
                items[number].properties.append(known[index - 1])


def _references(data: bytes, box: Box) -> Iterator[Reference]:
    version, _, body = full(data, box)
    size = 2 if version == 0 else 4
    left = _MAX_PARTS
    for entry in walk(data, body.start, body.end):
        cursor = Cursor(data, entry)
        source, count = cursor.number(size), cursor.number(2)
        left -= count + 1
        if left < 0:
            raise CorruptImage(f"the HEIF file has more than {_MAX_PARTS} references")
        if count * size > cursor.room:
            raise struct.error("the reference box ends early")
        yield Reference(entry.kind, source, tuple(cursor.number(size) for _ in range(count)))
