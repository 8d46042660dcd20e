"""WebP header: the RIFF chunks."""

import struct
from collections.abc import Iterator

from pixelmend.core.errors import CorruptImage
from pixelmend.core.geometry import Size
from pixelmend.imaging import exif
from pixelmend.imaging.headers.fields import MAX_SEGMENTS, HeaderFields, checked_size

_ANIMATION, _ALPHA = 0x02, 0x10


def read(data: bytes) -> HeaderFields:
    """Read the header of a WebP file. Raises CorruptImage, struct.error if bytes are missing."""
    name: bytes = struct.unpack_from("<4sI", data, 12)[0]
    if name == b"VP8 ":
        return HeaderFields(size=_lossy_size(data, 20))
    if name == b"VP8L":
        size, has_alpha = _lossless(data, 20)
        return HeaderFields(size=size, has_alpha=has_alpha)
    if name != b"VP8X":
        raise CorruptImage(f"the WebP begins with a chunk {name!r}")
    return _extended(data)


def _lossy_size(data: bytes, at: int) -> Size:
    tag = int.from_bytes(data[at : at + 3], "little")
    if tag & 1 or data[at + 3 : at + 6] != b"\x9d\x01\x2a":
        raise CorruptImage("the WebP's VP8 data does not begin with a key frame")
    width, height = struct.unpack_from("<HH", data, at + 6)
    return checked_size(width & 0x3FFF, height & 0x3FFF)


def _lossless(data: bytes, at: int) -> tuple[Size, bool]:
    signature, packed = struct.unpack_from("<BI", data, at)
    if signature != 0x2F:
        raise CorruptImage("the WebP's VP8L data has a wrong signature")
    size = checked_size((packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1)
    return size, bool(packed >> 28 & 1)


def _extended(data: bytes) -> HeaderFields:
    flags = data[20]
    width = int.from_bytes(data[24:27], "little") + 1
    height = int.from_bytes(data[27:30], "little") + 1
    if len(data) < 30:
        raise CorruptImage("the WebP ends within its header")
    frames, block = 0, None
    for name, start, end in chunks(data):
        if name == b"ANMF":
            frames += 1
        elif name == b"EXIF" and block is None:
            block = exif.without_prefix(data[start:end])
    return HeaderFields(
        size=checked_size(width, height),
        orientation=exif.orientation(block) if block else 1,
        has_alpha=bool(flags & _ALPHA),
        frames=max(1, frames) if flags & _ANIMATION else 1,
        dpi=exif.dpi(block) if block else None,
    )


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name and body (data[start:end]) of each chunk. Raises CorruptImage for more than `MAX_SEGMENTS`."""
    position = 12
    for _ in range(MAX_SEGMENTS):
        if position + 8 > len(data):
            return
        name, length = struct.unpack_from("<4sI", data, position)
        start = position + 8
        yield bytes(name), start, start + length
        position = start + length + (length & 1)
    raise CorruptImage(f"the WebP has more than {MAX_SEGMENTS} chunks")
