"""PNG header: walks the chunks without inflating any of them."""

import struct
import zlib
from collections.abc import Iterator

from pixelmend.core.errors import CorruptImage
from pixelmend.imaging import exif
from pixelmend.imaging.colour import Chromaticities, Cicp, Colour
from pixelmend.imaging.headers.fields import MAX_SEGMENTS, HeaderFields, checked_dpi, checked_size

_GREY, _GREY_ALPHA, _RGBA = 0, 4, 6
_COLOUR_CHUNKS = frozenset({b"cICP", b"sRGB", b"gAMA", b"cHRM"})
_SMALL_CHUNK_BYTES = 64
# Values that no screen, camera or printer has are noise.
_LEAST_GAMMA, _LARGEST_GAMMA = 0.1, 10.0


def read(data: bytes) -> HeaderFields:
    """Read the header of a PNG file. Raises CorruptImage, struct.error if bytes are missing."""
    length, name = struct.unpack_from(">I4s", data, 8)
    if name != b"IHDR" or length != 13:
        raise CorruptImage("the PNG does not begin with an IHDR chunk of 13 bytes")
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    if zlib.crc32(data[12:29]) != struct.unpack_from(">I", data, 29)[0]:
        raise CorruptImage("the PNG's IHDR chunk fails its checksum")
    size = checked_size(width, height)

    transparent, frames, orientation, dpi, has_pixels = False, 1, 1, None, False
    colour_chunks: dict[bytes, bytes] = {}
    for name, start, end in chunks(data):
        body = data[start:end] if end - start <= _SMALL_CHUNK_BYTES else b""
        if name == b"IDAT":
            has_pixels = True
        elif name == b"tRNS":
            transparent = True
        elif name == b"acTL" and not has_pixels:
            frames = max(1, struct.unpack_from(">I", data, start)[0])
        elif name == b"pHYs" and len(body) == 9:
            x, y, unit = struct.unpack(">IIB", body)
            dpi = checked_dpi(x * 0.0254, y * 0.0254) if unit == 1 else None
        elif name == b"eXIf":
            block = exif.without_prefix(data[start:end])
            orientation = exif.orientation(block) if block else 1
        elif name in _COLOUR_CHUNKS and not has_pixels:
            colour_chunks.setdefault(name, body)

    return HeaderFields(
        size=size,
        orientation=orientation,
        grey=colour in (_GREY, _GREY_ALPHA),
        has_alpha=transparent or colour in (_GREY_ALPHA, _RGBA),
        bits=16 if depth == 16 else 8,
        frames=frames,
        dpi=dpi,
        colour=_colour(colour_chunks),
    )


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name and body (data[start:end]) of each chunk behind IHDR, up to IEND or the end of the file.

    Raises CorruptImage for more than `MAX_SEGMENTS`.
    """
    position = 33
    for _ in range(MAX_SEGMENTS):
        if position + 8 > len(data):
            return
        length, name = struct.unpack_from(">I4s", data, position)
        if name == b"IEND":
            return
        start = position + 8
        yield bytes(name), start, min(len(data), start + length)
        position = start + length + 4
    raise CorruptImage(f"the PNG has more than {MAX_SEGMENTS} chunks")


def _colour(found: dict[bytes, bytes]) -> Colour | None:
    """By the precedence of the PNG specification, 4.3: cICP, sRGB, then gAMA and cHRM."""
    code_points = found.get(b"cICP", b"")
    if len(code_points) == 4:
        return Colour(Cicp(code_points[0], code_points[1]))
    if b"sRGB" in found:
        return None
    gamma = int.from_bytes(found[b"gAMA"], "big") / 100_000 if len(found.get(b"gAMA", b"")) == 4 else 0.0
    believable = _LEAST_GAMMA <= gamma <= _LARGEST_GAMMA
    chromaticities = _chromaticities(found.get(b"cHRM", b""))
    if not believable and chromaticities is None:
        return None
    return Colour(file_gamma=gamma if believable else None, chromaticities=chromaticities)


def _chromaticities(body: bytes) -> Chromaticities | None:
    if len(body) != 32:
        return None
    numbers = [value / 100_000 for value in struct.unpack(">8I", body)]
    white, red, green, blue = zip(numbers[::2], numbers[1::2], strict=True)
    return white, red, green, blue
