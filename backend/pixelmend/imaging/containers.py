"""Putting metadata into JPEG and WebP files ourselves.

libvips can do it, but it parses every EXIF block and writes another: tags are added (an uncalibrated colour
space), others change their type. Here the block is written as it is.
"""

import struct
from typing import BinaryIO

from pixelmend.core.geometry import Size
from pixelmend.imaging.metadata import Metadata

_EXIF_MARK = b"Exif\0\0"
_XMP_MARK = b"http://ns.adobe.com/xap/1.0/\0"
_ICC_MARK = b"ICC_PROFILE\0"
_SEGMENT_BYTES = 65_533
_ICC_CHUNK = 65_000
_MAX_ICC = 255 * _ICC_CHUNK
_APP0, _APP1, _APP2 = 0xE0, 0xE1, 0xE2

_ICC_FLAG, _ALPHA_FLAG, _EXIF_FLAG, _XMP_FLAG = 0x20, 0x10, 0x08, 0x04


def fits_in_segment(block: bytes) -> bool:
    """Whether an EXIF block or XMP packet fits into a JPEG's marker segment."""
    return len(block) + len(_XMP_MARK) <= _SEGMENT_BYTES


def jpeg_head(metadata: Metadata) -> bytes:
    """The beginning of a JPEG file up to and including its metadata.

    What follows is an encoder's output without its first two bytes (the start marker).
    """
    unit, (x, y) = (1, metadata.dpi) if metadata.dpi else (0, (1.0, 1.0))
    density = (max(1, min(65_535, round(value))) for value in (x, y))
    head = [b"\xff\xd8", _segment(_APP0, b"JFIF\0\1\2" + struct.pack(">BHHxx", unit, *density))]
    if metadata.exif and fits_in_segment(metadata.exif):
        head.append(_segment(_APP1, _EXIF_MARK + metadata.exif))
    if metadata.xmp and fits_in_segment(metadata.xmp):
        head.append(_segment(_APP1, _XMP_MARK + metadata.xmp))
    if metadata.icc and len(metadata.icc) <= _MAX_ICC:
        chunks = [metadata.icc[at : at + _ICC_CHUNK] for at in range(0, len(metadata.icc), _ICC_CHUNK)]
        for number, chunk in enumerate(chunks, 1):
            head.append(_segment(_APP2, _ICC_MARK + bytes((number, len(chunks))) + chunk))
    return b"".join(head)


def webp_with_metadata(encoded: bytes, size: Size, metadata: Metadata, file: BinaryIO) -> None:
    """Write to `file` the still WebP image `encoded`, which has no metadata, with `metadata`.

    Resolution has no place of its own in WebP; it is in the EXIF block.
    """
    images = _image_chunks(encoded)
    alpha = any(name == b"ALPH" or (name == b"VP8L" and body[4] & 0x10) for name, body in images)
    flags = (
        (_ICC_FLAG if metadata.icc else 0)
        | (_ALPHA_FLAG if alpha else 0)
        | (_EXIF_FLAG if metadata.exif else 0)
        | (_XMP_FLAG if metadata.xmp else 0)
    )
    chunks: list[tuple[bytes, bytes | memoryview]] = [*images]
    if flags & ~_ALPHA_FLAG or any(name == b"ALPH" for name, _ in images):
        canvas = (size.width - 1).to_bytes(3, "little") + (size.height - 1).to_bytes(3, "little")
        chunks.insert(0, (b"VP8X", struct.pack("<B3x", flags) + canvas))
        if metadata.icc:
            chunks.insert(1, (b"ICCP", metadata.icc))
        if metadata.exif:
            chunks.append((b"EXIF", metadata.exif))
        if metadata.xmp:
            chunks.append((b"XMP ", metadata.xmp))
    total = 4 + sum(8 + len(body) + len(body) % 2 for _, body in chunks)
    file.write(struct.pack("<4sI4s", b"RIFF", total, b"WEBP"))
    for name, body in chunks:
        file.write(struct.pack("<4sI", name, len(body)))
        file.write(body)
        file.write(b"\0" * (len(body) % 2))


def _image_chunks(encoded: bytes) -> list[tuple[bytes, memoryview]]:
    chunks, view, position = [], memoryview(encoded), 12
    while position + 8 <= len(encoded):
        name, length = struct.unpack_from("<4sI", encoded, position)
        if name in (b"VP8 ", b"VP8L", b"ALPH"):
            chunks.append((name, view[position + 8 : position + 8 + length]))
        position += 8 + length + length % 2
    return chunks


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
