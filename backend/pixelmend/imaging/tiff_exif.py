"""EXIF in TIFF files: it is spread over the file's own directories instead of being one block.

Reading gathers it into a block as other formats have it; writing grafts a block's tags onto a finished
file. Only classic (32-bit) TIFF.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import BinaryIO, Literal

import numpy as np

_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
# description, make, model, software, date, artist, copyright: the rest of the first directory describes
# how the pixels are stored
_DESCRIPTIVE = (270, 271, 272, 305, 306, 315, 33432)
_MAX_ENTRIES = 512
# per directory: hundreds of hostile entries may all point to the same megabytes
_MAX_VALUE_BYTES = 2 << 20
_LONG = 4
# TIFF field type -> bytes per value, and bytes per number within it (rationals are two numbers)
_WIDTHS = MappingProxyType(
    {1: (1, 1), 2: (1, 1), 3: (2, 2), 4: (4, 4), 5: (8, 4), 6: (1, 1), 7: (1, 1)}
    | {8: (2, 2), 9: (4, 4), 10: (8, 4), 11: (4, 4), 12: (8, 8)}
)


@dataclass(frozen=True, slots=True)
class _Field:
    kind: int
    count: int
    data: bytes  # little-endian


Fields = dict[int, _Field]


def gather(data: bytes) -> bytes | None:
    """An EXIF block with what the TIFF file `data` says of its image; None if it says nothing.

    Damaged entries are left out.
    """
    first = _fields(data, _pointer(data, 4))
    kept: Fields = {tag: first[tag] for tag in _DESCRIPTIVE if tag in first}
    details, place = _child(data, first, _EXIF_IFD), _child(data, first, _GPS_IFD)
    if not (kept or details or place):
        return None
    return b"II*\0" + struct.pack("<I", 8) + _serialised(kept, details, place, 8, [])


def graft(file: BinaryIO, block: bytes) -> None:
    """Add the tags of the EXIF `block` to the TIFF in `file`, which is open for reading and writing.

    A new first directory goes to the end of the file; nothing else moves. Does nothing to a big-endian
    or BigTIFF file (libvips writes neither below 4 GB on the machines we run on).
    """
    file.seek(0)
    head = file.read(8)
    if head[:4] != b"II*\0":
        return
    file.seek(struct.unpack_from("<I", head, 4)[0])
    count = struct.unpack("<H", file.read(2))[0]
    existing = [file.read(12) for _ in range(count)]
    present = {struct.unpack_from("<H", entry)[0] for entry in existing}

    first = _fields(block, _pointer(block, 4))
    kept = {tag: first[tag] for tag in _DESCRIPTIVE if tag in first and tag not in present}
    details, place = _child(block, first, _EXIF_IFD), _child(block, first, _GPS_IFD)
    end = file.seek(0, os.SEEK_END)
    start = end + end % 2
    file.write(bytes(start - end) + _serialised(kept, details, place, start, existing))
    file.seek(4)
    file.write(struct.pack("<I", start))


def _serialised(first: Fields, details: Fields, place: Fields, start: int, existing: list[bytes]) -> bytes:
    """The first directory at offset `start`, with its children behind it. existing: raw entries to keep."""
    children = {tag: fields for tag, fields in ((_EXIF_IFD, details), (_GPS_IFD, place)) if fields}
    links = {tag: _Field(_LONG, 1, bytes(4)) for tag in children}
    size = len(_directory(first | links, start, existing))
    parts = []
    for tag, fields in children.items():
        links[tag] = _Field(_LONG, 1, struct.pack("<I", start + size))
        parts.append(_directory(fields, start + size, []))
        size += len(parts[-1])
    return _directory(first | links, start, existing) + b"".join(parts)


def _directory(fields: Fields, start: int, existing: list[bytes]) -> bytes:
    entries = {struct.unpack_from("<H", entry)[0]: entry for entry in existing}
    area = start + 2 + 12 * (len(fields.keys() | entries.keys())) + 4
    values = b""
    for tag, field in fields.items():
        inline = field.data.ljust(4, b"\0")
        if len(inline) > 4:
            inline = struct.pack("<I", area + len(values))
            values += field.data + bytes(len(field.data) % 2)
        entries[tag] = struct.pack("<HHI", tag, field.kind, field.count) + inline
    return (
        struct.pack("<H", len(entries))
        + b"".join(entries[tag] for tag in sorted(entries))
        + bytes(4)
        + values
    )


def _child(data: bytes, fields: Fields, tag: int) -> Fields:
    link = fields.get(tag)
    if link is None or link.kind != _LONG:
        return {}
    return _fields(data, int.from_bytes(link.data, "little"))


def _pointer(data: bytes, position: int) -> int:
    return int.from_bytes(data[position : position + 4], _order(data))


def _fields(data: bytes, offset: int) -> Fields:
    return dict(_parsed(data, offset)) if 8 <= offset <= len(data) - 2 else {}


def _parsed(data: bytes, offset: int) -> Iterator[tuple[int, _Field]]:
    mark = "<" if _order(data) == "little" else ">"
    count = min(struct.unpack_from(mark + "H", data, offset)[0], _MAX_ENTRIES)
    room = _MAX_VALUE_BYTES
    for position in range(offset + 2, min(offset + 2 + 12 * count, len(data) - 11), 12):
        tag, kind, values = struct.unpack_from(mark + "HHI", data, position)
        if kind not in _WIDTHS:
            continue
        width, number = _WIDTHS[kind]
        size = width * values
        at = position + 8 if size <= 4 else _pointer(data, position + 8)
        room -= size
        value = bytes(data[at : at + size]) if room >= 0 else b""
        if values and len(value) == size:
            yield tag, _Field(kind, values, value if mark == "<" else _swapped(value, number))


def _swapped(value: bytes, number: int) -> bytes:
    return np.frombuffer(value, f">u{number}").astype(f"<u{number}").tobytes()


def _order(data: bytes) -> Literal["little", "big"]:
    return "little" if data[:2] == b"II" else "big"
