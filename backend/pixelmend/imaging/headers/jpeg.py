"""JPEG header: walks the marker segments up to the first scan."""

import re
import struct
from collections.abc import Iterator

from pixelmend.core.errors import CorruptImage, UnsupportedFormat
from pixelmend.imaging import exif
from pixelmend.imaging.headers.fields import MAX_SEGMENTS, HeaderFields, checked_dpi, checked_size

_MARKER = re.compile(rb"\xff[^\x00\xff]", re.DOTALL)
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_START_OF_SCAN, _END_OF_IMAGE, _APP0, _APP1 = 0xDA, 0xD9, 0xE0, 0xE1


def read(data: bytes) -> HeaderFields:
    """Read the header of a JPEG file. Raises CorruptImage, UnsupportedFormat, struct.error (short data)."""
    frame: tuple[int, int, int, int] | None = None
    block: bytes | None = None
    dpi: tuple[float, float] | None = None
    for marker, start, end in segments(data):
        if marker in _START_OF_FRAME and frame is None:
            frame = struct.unpack_from(">BHHB", data, start)
        elif marker == _APP0 and data[start : start + 5] == b"JFIF\0":
            unit, x, y = struct.unpack_from(">BHH", data, start + 7)
            factor = {1: 1.0, 2: 2.54}.get(unit, 0.0)
            dpi = checked_dpi(x * factor, y * factor)
        elif marker == _APP1 and block is None and data[start : start + 6] == b"Exif\0\0":
            block = exif.without_prefix(data[start:end])
    if frame is None:
        raise CorruptImage("the JPEG has no frame header before its first scan")
    precision, height, width, components = frame
    if precision != 8:
        raise UnsupportedFormat(f"the JPEG has {precision} bits per sample; 8 are supported")
    return HeaderFields(
        size=checked_size(width, height),
        orientation=exif.orientation(block) if block else 1,
        grey=components == 1,
        dpi=dpi or (exif.dpi(block) if block else None),
    )


def segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker and body (data[start:end]) of each segment before the first scan.

    Raises CorruptImage, also for more than `MAX_SEGMENTS` and if there is no scan; struct.error (short data).
    """
    position = 2
    for _ in range(MAX_SEGMENTS):
        position = _next_marker(data, position)
        marker = data[position - 1]
        if marker in _WITHOUT_LENGTH:
            continue
        if marker in (_START_OF_SCAN, _END_OF_IMAGE):
            return
        length: int = struct.unpack_from(">H", data, position)[0]
        if length < 2:
            raise CorruptImage(f"a JPEG segment claims a length of {length}")
        yield marker, position + 2, position + length
        position += length
    raise CorruptImage(f"the JPEG has more than {MAX_SEGMENTS} segments before its first scan")


def _next_marker(data: bytes, position: int) -> int:
    """Position just behind the next marker at or after `position`.

    Stray bytes between segments are skipped, as decoders do; by a regular expression, since a file of
    fill bytes alone would keep a loop in Python busy for seconds.
    """
    found = _MARKER.search(data, position)
    if found is None:
        raise CorruptImage("the JPEG ends before its first scan")
    return found.end()
