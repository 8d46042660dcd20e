"""BMP header: OS/2's and all of Windows' versions."""

import struct
from dataclasses import dataclass

from pixelmend.core.errors import CorruptImage, UnsupportedFormat
from pixelmend.imaging.colour import Colour
from pixelmend.imaging.headers.fields import HeaderFields, checked_dpi, checked_size

_OS2_BYTES, _INFO_BYTES, _V3_BYTES, _V4_BYTES, _V5_BYTES = 12, 40, 56, 108, 124
UNCOMPRESSED, RLE8, RLE4, BITFIELDS, ALPHA_BITFIELDS = 0, 1, 2, 3, 6
_PER_METRE = 0.0254
_CALIBRATED = 0
_EMBEDDED_PROFILE = b"MBED"


@dataclass(frozen=True, slots=True)
class BmpDetails:
    """How and where the pixels are stored.

    palette: blue, green and red of each colour, for up to 8 bits a pixel. masks: bits of red, green, blue and
    alpha in a pixel of 16 or 32 bits, 0 for none; None for other depths. profile: the place of an embedded
    ICC profile, as (start, end).
    """

    bits_per_pixel: int
    compression: int
    pixels_at: int
    palette: bytes
    top_down: bool
    masks: tuple[int, int, int, int] | None
    profile: tuple[int, int] | None


def read(data: bytes) -> HeaderFields:
    """Read the header of a BMP file.

    Raises CorruptImage, UnsupportedFormat for other compressions, struct.error (short data).
    """
    pixels_at, header_bytes = struct.unpack_from("<II", data, 10)
    if header_bytes == _OS2_BYTES:
        width, height, planes, depth = struct.unpack_from("<HHHH", data, 18)
        compression, x, y, colours = UNCOMPRESSED, 0, 0, 0
    else:
        width, height, planes, depth = struct.unpack_from("<iiHH", data, 18)
        compression, x, y, colours = UNCOMPRESSED, 0, 0, 0
        if header_bytes >= _INFO_BYTES:
            compression, _, x, y, colours = struct.unpack_from("<IIiiI", data, 30)
    if planes != 1 or depth not in (1, 2, 4, 8, 16, 24, 32):
        raise CorruptImage(f"the BMP claims {planes} planes of {depth} bits")
    _check_compression(compression, depth)
    masks = _masks(data, header_bytes, depth, compression)
    palette = _palette(data, header_bytes, depth, colours) if depth <= 8 else b""
    profile = _profile(data, header_bytes)
    return HeaderFields(
        size=checked_size(width, abs(height)),
        grey=depth <= 8 and palette[::3] == palette[1::3] == palette[2::3],
        bits=16 if masks is not None and any(mask.bit_count() > 8 for mask in masks) else 8,
        has_alpha=masks is not None and masks[3] != 0,
        dpi=checked_dpi(x * _PER_METRE, y * _PER_METRE),
        colour=_colour(data, header_bytes),
        details=BmpDetails(depth, compression, pixels_at, palette, height < 0, masks, profile),
    )


def _check_compression(compression: int, depth: int) -> None:
    depths = {
        UNCOMPRESSED: (1, 2, 4, 8, 16, 24, 32),
        RLE8: (8,),
        RLE4: (4,),
        BITFIELDS: (16, 32),
        ALPHA_BITFIELDS: (16, 32),
    }
    if depth not in depths.get(compression, ()):
        raise UnsupportedFormat(f"the BMP has compression {compression} with {depth} bits; not supported")


def _masks(data: bytes, header_bytes: int, depth: int, compression: int) -> tuple[int, int, int, int] | None:
    if depth not in (16, 32):
        return None
    if compression == UNCOMPRESSED:
        return (0x7C00, 0x3E0, 0x1F, 0) if depth == 16 else (0xFF0000, 0xFF00, 0xFF, 0)
    red, green, blue = struct.unpack_from("<3I", data, 54)
    has_alpha = header_bytes >= _V3_BYTES or compression == ALPHA_BITFIELDS
    alpha = struct.unpack_from("<I", data, 66)[0] if has_alpha else 0
    masks = (red, green, blue, alpha)
    if not (red and green and blue) or any(mask >> depth or not _is_run(mask) for mask in masks if mask):
        raise CorruptImage("the BMP's colour masks are not runs of bits in its pixels")
    return masks


def _is_run(mask: int) -> bool:
    """Whether the bits that are set follow one another."""
    lowest = mask & -mask
    return not mask & (mask + lowest)


def _palette(data: bytes, header_bytes: int, depth: int, colours: int) -> bytes:
    entry = 3 if header_bytes == _OS2_BYTES else 4
    start = 14 + header_bytes
    count = min(colours or 1 << depth, 1 << depth)
    entries = data[start : start + count * entry]
    if len(entries) < count * entry:
        raise CorruptImage("the BMP ends within its palette")
    return b"".join(entries[at : at + 3] for at in range(0, len(entries), entry))


def _colour(data: bytes, header_bytes: int) -> Colour | None:
    """Primaries of a V4 or V5 header that says that it is calibrated, in 2.30 fixed point of XYZ."""
    if header_bytes < _V4_BYTES or struct.unpack_from("<I", data, 70)[0] != _CALIBRATED:
        return None
    ends = [value / (1 << 30) for value in struct.unpack_from("<9i", data, 74)]
    gammas = [value / (1 << 16) for value in struct.unpack_from("<3I", data, 110)]
    colours = [ends[at : at + 3] for at in (0, 3, 6)]
    totals = [sum(colour) for colour in colours]
    white = [sum(colour[axis] for colour in colours) for axis in range(3)]
    if min(totals) <= 0.0 or sum(white) <= 0.0 or not 0.2 <= gammas[0] <= 10.0 or len(set(gammas)) != 1:
        return None
    points = [(c[0] / total, c[1] / total) for c, total in zip(colours, totals, strict=True)]
    middle = (white[0] / sum(white), white[1] / sum(white))
    return Colour(file_gamma=1.0 / gammas[0], chromaticities=(middle, points[0], points[1], points[2]))


def _profile(data: bytes, header_bytes: int) -> tuple[int, int] | None:
    # The name of the colour space is a number whose letters stand from its highest byte down.
    if header_bytes < _V5_BYTES or data[70:74][::-1] != _EMBEDDED_PROFILE:
        return None
    offset, length = struct.unpack_from("<II", data, 126)
    start = 14 + offset
    return (start, start + length) if length > 0 and start + length <= len(data) else None
