"""PNG header: walks the chunks without inflating any of them."""

import struct
import zlib

from pixelmend.errors import CorruptImage
from pixelmend.imaging import exif
from pixelmend.imaging.headers.fields import MAX_SEGMENTS, HeaderFields, checked_dpi, checked_size

_GREY, _GREY_ALPHA, _RGBA = 0, 4, 6


def read(data: bytes) -> HeaderFields:
    """Read the header of a PNG file. Raises CorruptImage, struct.error where bytes are missing."""
    length, name = struct.unpack_from(">I4s", data, 8)
    if name != b"IHDR" or length != 13:
        raise CorruptImage("the PNG does not begin with an IHDR chunk of 13 bytes")
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    if zlib.crc32(data[12:29]) != struct.unpack_from(">I", data, 29)[0]:
        raise CorruptImage("the PNG's IHDR chunk fails its checksum")
    size = checked_size(width, height)

    transparent, frames, orientation, dpi, has_pixels = False, 1, 1, None, False
    position = 33
    for _ in range(MAX_SEGMENTS):
        if position + 8 > len(data):
            break  # truncated after the header: the decoder says so
        length, name = struct.unpack_from(">I4s", data, position)
        body = position + 8
        if name == b"IEND":
            break
        if name == b"IDAT":
            has_pixels = True
        elif name == b"tRNS":
            transparent = True
        elif name == b"acTL" and not has_pixels:
            frames = max(1, struct.unpack_from(">I", data, body)[0])
        elif name == b"pHYs" and length == 9:
            x, y, unit = struct.unpack_from(">IIB", data, body)
            dpi = checked_dpi(x * 0.0254, y * 0.0254) if unit == 1 else None
        elif name == b"eXIf":
            block = exif.without_prefix(data[body : body + length])
            orientation = exif.orientation(block) if block else 1
        position = body + length + 4
    else:
        raise CorruptImage(f"the PNG has more than {MAX_SEGMENTS} chunks")

    return HeaderFields(
        size=size,
        orientation=orientation,
        grey=colour in (_GREY, _GREY_ALPHA),
        has_alpha=transparent or colour in (_GREY_ALPHA, _RGBA),
        bits=16 if depth == 16 else 8,
        frames=frames,
        dpi=dpi,
    )
