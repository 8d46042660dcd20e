"""Reading and patching EXIF blocks: TIFF structures that begin with `II` or `MM`.

Values are patched in place, so that every other byte (maker notes hold absolute offsets) stays as it
was. Damaged blocks are never an error: the readers below then find nothing.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from pixelmend.core.geometry import Size

EMPTY = b"MM\0*\0\0\0\x08\0\0\0\0\0\0"
"""A block without a single tag."""

_PREFIX = b"Exif\0\0"
_MAX_ENTRIES = 1024

_IMAGE_WIDTH, _IMAGE_LENGTH = 0x0100, 0x0101
_ORIENTATION = 0x0112
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 0x011A, 0x011B, 0x0128
_THUMBNAIL_OFFSET, _THUMBNAIL_LENGTH = 0x0201, 0x0202
_EXIF_IFD = 0x8769
_PIXEL_X, _PIXEL_Y = 0xA002, 0xA003
_COLOUR_SPACE, _INTEROPERABILITY_IFD, _UNCALIBRATED = 0xA001, 0xA005, 0xFFFF

_SHORT, _LONG, _RATIONAL = 3, 4, 5


@dataclass(frozen=True, slots=True)
class _Entry:
    tag: int
    kind: int
    count: int
    position: int  # that of the 12-byte entry within the block


def without_prefix(block: bytes) -> bytes | None:
    r"""The TIFF structure in `block`, without the wrapper of its container; None if there is none.

    JPEG, and by habit some WebP and HEIF writers, put `Exif\0\0` in front.
    """
    block = block.removeprefix(_PREFIX)
    return block if len(block) >= 14 and block[:4] in (b"II*\0", b"MM\0*") else None


def orientation(block: bytes) -> int:
    """The Orientation tag, 1 to 8; 1 if it is missing or out of range."""
    order = _order(block)
    for entry in _entries(block, order, _first_ifd(block, order)):
        if entry.tag == _ORIENTATION:
            value = _integer(block, order, entry)
            return value if value is not None and 1 <= value <= 8 else 1
    return 1


def dpi(block: bytes) -> tuple[float, float] | None:
    """Pixels per inch from XResolution and YResolution; None if missing or without a unit."""
    order = _order(block)
    found = {entry.tag: entry for entry in _entries(block, order, _first_ifd(block, order))}
    if _X_RESOLUTION not in found or _Y_RESOLUTION not in found:
        return None
    horizontal = _rational(block, order, found[_X_RESOLUTION])
    vertical = _rational(block, order, found[_Y_RESOLUTION])
    unit = _integer(block, order, found[_RESOLUTION_UNIT]) if _RESOLUTION_UNIT in found else 2
    if horizontal is None or vertical is None or unit not in (2, 3):
        return None
    factor = 2.54 if unit == 3 else 1.0
    return horizontal * factor, vertical * factor


def is_adobe_rgb(block: bytes) -> bool:
    """Whether the block says it as cameras do (DCF 2.0: an uncalibrated colour space, and index R03)."""
    order = _order(block)
    for entry in _entries(block, order, _first_ifd(block, order)):
        if entry.tag == _EXIF_IFD:
            details = {e.tag: e for e in _entries(block, order, _integer(block, order, entry))}
            space, link = details.get(_COLOUR_SPACE), details.get(_INTEROPERABILITY_IFD)
            if space is None or link is None or _integer(block, order, space) != _UNCALIBRATED:
                return False
            inner = _entries(block, order, _integer(block, order, link))
            return any(e.tag == 1 and block[e.position + 8 : e.position + 11] == b"R03" for e in inner)
    return False


def upright(block: bytes, size: Size) -> bytes:
    """The block for an image of `size` px whose orientation has been applied.

    Orientation becomes 1, the recorded dimensions become `size`, and the embedded thumbnail, which
    still shows the old image, is removed.
    """
    order = _order(block)
    patched = bytearray(block)
    first = _first_ifd(block, order)
    for entry in _entries(block, order, first):
        if entry.tag == _ORIENTATION:
            _put(patched, order, entry, _SHORT, 1)
        elif entry.tag == _IMAGE_WIDTH:
            _put(patched, order, entry, _LONG, size.width)
        elif entry.tag == _IMAGE_LENGTH:
            _put(patched, order, entry, _LONG, size.height)
        elif entry.tag == _EXIF_IFD:
            _patch_dimensions(patched, block, order, _integer(block, order, entry), size)
    return _without_thumbnail(patched, order, first)


def _patch_dimensions(patched: bytearray, block: bytes, order: str, offset: int | None, size: Size) -> None:
    for entry in _entries(block, order, offset):
        if entry.tag == _PIXEL_X:
            _put(patched, order, entry, _LONG, size.width)
        elif entry.tag == _PIXEL_Y:
            _put(patched, order, entry, _LONG, size.height)


def _without_thumbnail(patched: bytearray, order: str, first: int | None) -> bytes:
    link = _next_link(patched, order, first)
    if link is None:
        return bytes(patched)
    second = int.from_bytes(patched[link : link + 4], "little" if order == "<" else "big")
    found = {entry.tag: entry for entry in _entries(bytes(patched), order, second)}
    patched[link : link + 4] = bytes(4)
    if _THUMBNAIL_OFFSET not in found or _THUMBNAIL_LENGTH not in found:
        return bytes(patched)
    start = _integer(bytes(patched), order, found[_THUMBNAIL_OFFSET]) or 0
    length = _integer(bytes(patched), order, found[_THUMBNAIL_LENGTH]) or 0
    # Nothing may move, so the bytes are only cut away if they are the last ones (the usual layout).
    if 8 < link < start < len(patched) <= start + length and second < start:
        del patched[start:]
    return bytes(patched)


def _order(block: bytes) -> str:
    return "<" if block[:2] == b"II" else ">"


def _first_ifd(block: bytes, order: str) -> int | None:
    return int(struct.unpack_from(order + "I", block, 4)[0]) if len(block) >= 8 else None


def _entries(block: bytes, order: str, offset: int | None) -> Iterator[_Entry]:
    if offset is None or not 8 <= offset <= len(block) - 2:
        return
    count = min(struct.unpack_from(order + "H", block, offset)[0], _MAX_ENTRIES)
    for position in range(offset + 2, min(offset + 2 + count * 12, len(block) - 11), 12):
        tag, kind, values = struct.unpack_from(order + "HHI", block, position)
        yield _Entry(tag, kind, values, position)


def _next_link(block: bytes | bytearray, order: str, offset: int | None) -> int | None:
    """Position of the 4 bytes that point from the directory at `offset` to the following one."""
    if offset is None or not 8 <= offset <= len(block) - 2:
        return None
    count: int = struct.unpack_from(order + "H", block, offset)[0]
    link = offset + 2 + count * 12
    return link if link + 4 <= len(block) else None


def _integer(block: bytes, order: str, entry: _Entry) -> int | None:
    if entry.kind == _SHORT:
        return int(struct.unpack_from(order + "H", block, entry.position + 8)[0])
    if entry.kind == _LONG:
        return int(struct.unpack_from(order + "I", block, entry.position + 8)[0])
    return None


def _rational(block: bytes, order: str, entry: _Entry) -> float | None:
    if entry.kind != _RATIONAL:
        return None
    at: int = struct.unpack_from(order + "I", block, entry.position + 8)[0]
    if at + 8 > len(block):
        return None
    numerator, denominator = struct.unpack_from(order + "II", block, at)
    return float(numerator / denominator) if denominator else None


def _put(patched: bytearray, order: str, entry: _Entry, kind: int, value: int) -> None:
    # one SHORT or LONG always fits into the entry itself, so the type may change without moving a byte
    packed = struct.pack(order + "HH", value, 0) if kind == _SHORT else struct.pack(order + "I", value)
    patched[entry.position + 2 : entry.position + 12] = struct.pack(order + "HI", kind, 1) + packed


def with_resolution(block: bytes, horizontal: float, vertical: float) -> bytes:
    """The block with its resolution in pixels per inch set.

    A new first directory is written behind everything else, so that all other bytes stay in place.
    """
    order = _order(block)
    first = _first_ifd(block, order)
    link = _next_link(block, order, first)
    following = block[link : link + 4] if link is not None else bytes(4)
    start = len(block) + len(block) % 2
    replaced = (_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT)
    entries = {
        entry.tag: block[entry.position : entry.position + 12]
        for entry in _entries(block, order, first)
        if entry.tag not in replaced
    }
    values = start + 2 + 12 * (len(entries) + len(replaced)) + 4
    entries[_X_RESOLUTION] = struct.pack(order + "HHII", _X_RESOLUTION, _RATIONAL, 1, values)
    entries[_Y_RESOLUTION] = struct.pack(order + "HHII", _Y_RESOLUTION, _RATIONAL, 1, values + 8)
    entries[_RESOLUTION_UNIT] = struct.pack(order + "HHIHH", _RESOLUTION_UNIT, _SHORT, 1, 2, 0)
    thousandths = round(horizontal * 1000), 1000, round(vertical * 1000), 1000
    return b"".join(
        (
            block[:4],
            struct.pack(order + "I", start),
            block[8:].ljust(start - 8, b"\0"),
            struct.pack(order + "H", len(entries)),
            *(entries[tag] for tag in sorted(entries)),
            following,
            struct.pack(order + "4I", *thousandths),
        )
    )
