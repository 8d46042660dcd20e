"""TIFF and BigTIFF header: the few tags that matter, from the directories in the main chain."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

from pixelmend.core.errors import CorruptImage, UnsupportedFormat
from pixelmend.imaging.headers.fields import HeaderFields, checked_dpi, checked_size

# Bounds on hostile chains; honest files have one page here, a thumbnail and a few dozen tags.
_MAX_PAGES = 64
_MAX_ENTRIES = 4096
_SUBFILE, _WIDTH, _LENGTH, _BITS, _COMPRESSION = 254, 256, 257, 258, 259
_PHOTOMETRIC, _ORIENTATION, _SAMPLES = 262, 274, 277
_X_RESOLUTION, _Y_RESOLUTION, _PLANAR, _UNIT = 282, 283, 284, 296
_TILE_WIDTH, _SUB_DIRECTORIES, _EXTRA, _SAMPLE_FORMAT = 322, 330, 338, 339
_IPTC, _PHOTOSHOP, _GEO_KEYS, _DNG_VERSION, _C2PA = 33723, 34377, 34735, 50706, 52545
_WANTED = frozenset(
    {_SUBFILE, _WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC, _ORIENTATION, _SAMPLES}
    | {_X_RESOLUTION, _Y_RESOLUTION, _PLANAR, _UNIT, _TILE_WIDTH, _SUB_DIRECTORIES, _EXTRA, _SAMPLE_FORMAT}
    | {_IPTC, _PHOTOSHOP, _GEO_KEYS, _DNG_VERSION, _C2PA}
)
# TIFF field type -> struct code; rationals are read as two numbers
_CODES = {1: "B", 3: "H", 4: "I", 5: "II", 7: "B", 13: "I", 16: "Q", 18: "Q"}
_NO_COMPRESSION, _CHUNKY, _SEPARATE = 1, 1, 2
_NO_UNIT, _INCH, _CENTIMETRE = 1, 2, 3
_REDUCED = 1  # the subfile type of a smaller copy of another image in the file
_MOSAIC, _LINEAR_RAW = 32803, 34892
_MAX_SUB_DIRECTORIES = 8
_WHITE_IS_ZERO, _BLACK_IS_ZERO = 0, 1
_UINT, _UNDEFINED = 1, 4
_UNSPECIFIED, _ALPHA = 0, (1, 2)  # kinds of extra samples: alpha is premultiplied (1) or straight (2)
# by photometric interpretation: grey, grey, RGB, palette, CMYK, YCbCr, three kinds of Lab
_COLOUR_SAMPLES = MappingProxyType({0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3, 8: 3, 9: 3, 10: 3})
_MAX_VALUES = 8

Tags = dict[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class TiffDetails:
    """How the pixels of the first page are stored.

    colour: how many channels are colour; an alpha channel, if there is one, is the next one. planar: each
    channel is stored separately. extras: tokens as in `formats.Reading`.
    """

    photometric: int
    colour: int
    samples: int
    compression: int = _NO_COMPRESSION
    planar: bool = False
    tiled: bool = False
    extras: tuple[str, ...] = ()


def read(data: bytes) -> HeaderFields:
    """Read the first directory of a TIFF file and look for a second page.

    Raises CorruptImage (including a chain of directories that loops), UnsupportedFormat for camera raw and
    for sample types other than 1 to 16 bits of unsigned integer, struct.error if bytes are missing.
    """
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    offset: int = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)[0]
    tags, offset = _directory(data, order, big, offset)
    _refuse_raw(data, order, big, tags)
    seen, frames = {offset}, 1
    while offset and frames == 1:
        page, offset = _directory(data, order, big, offset)
        # a reduced copy of the page before (thumbnail, pyramid level) is not a page of its own
        frames += not page.get(_SUBFILE, (0,))[0] & 1
        if offset in seen or len(seen) > _MAX_PAGES:
            raise CorruptImage("the TIFF's chain of pages does not end")
        seen.add(offset)
    return _interpret(tags, frames)


def _refuse_raw(data: bytes, order: str, big: bool, tags: Tags) -> None:
    """Raw files are TIFFs whose first page is a small preview, or the sensor's mosaic itself."""
    offsets = tags.get(_SUB_DIRECTORIES, ())[:_MAX_SUB_DIRECTORIES]
    pages = [tags, *(_directory(data, order, big, at)[0] for at in offsets if 0 < at <= len(data) - 2)]
    kinds = {page.get(_PHOTOMETRIC, (0,))[0] for page in pages}
    if _DNG_VERSION in tags or kinds & {_MOSAIC, _LINEAR_RAW} or data[8:10] == b"CR":
        raise UnsupportedFormat("the file is camera raw, which is not supported; export a JPEG or TIFF first")
    if tags.get(_SUBFILE, (0,))[0] & _REDUCED and len(pages) > 1:
        raise UnsupportedFormat(
            "the TIFF begins with a reduced copy of an image in a sub-directory, as camera raw has it"
        )


def _interpret(tags: Tags, frames: int) -> HeaderFields:
    if _WIDTH not in tags or _LENGTH not in tags:
        raise CorruptImage("the TIFF does not say its dimensions")
    size = checked_size(tags[_WIDTH][0], tags[_LENGTH][0])
    bits = set(tags.get(_BITS, (1,)))
    kinds = set(tags.get(_SAMPLE_FORMAT, (_UINT,)))
    if not kinds <= {_UINT, _UNDEFINED}:
        raise UnsupportedFormat("the TIFF has signed or float samples; unsigned integers are supported")
    if len(bits) != 1 or not bits <= {1, 2, 4, 8, 16}:
        raise UnsupportedFormat(f"the TIFF has {sorted(bits)} bits per sample; 1, 2, 4, 8, 16 are supported")
    photometric = tags.get(_PHOTOMETRIC, (_BLACK_IS_ZERO,))[0]
    samples = tags.get(_SAMPLES, (1,))[0]
    colour = min(samples, _COLOUR_SAMPLES.get(photometric, samples))
    extra = tags.get(_EXTRA, (_UNSPECIFIED,))
    # Many writers leave the meaning of a lone extra channel open, and nearly all mean alpha.
    has_alpha = samples > colour and (extra[0] in _ALPHA or samples == colour + 1)
    orientation = tags.get(_ORIENTATION, (1,))[0]
    details = TiffDetails(
        photometric,
        colour,
        samples,
        compression=tags.get(_COMPRESSION, (_NO_COMPRESSION,))[0],
        planar=tags.get(_PLANAR, (_CHUNKY,))[0] == _SEPARATE and samples > 1,
        tiled=_TILE_WIDTH in tags,
        extras=tuple(_extras(tags)),
    )
    return HeaderFields(
        size=size,
        orientation=orientation if 1 <= orientation <= 8 else 1,
        grey=photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO),
        has_alpha=has_alpha,
        bits=16 if bits == {16} else 8,
        frames=frames,
        dpi=_dpi(tags),
        details=details,
    )


def _extras(tags: Tags) -> Iterator[str]:
    if tags.keys() & {_IPTC, _PHOTOSHOP}:
        yield "iptc"
    if _GEO_KEYS in tags:
        yield "geotiff"
    if _C2PA in tags:
        yield "c2pa"
    across, down = _resolution(tags)
    if tags.get(_UNIT, (_INCH,))[0] == _NO_UNIT and across and down and across != down:
        yield "pixel-aspect"


def _resolution(tags: Tags) -> tuple[float, float]:
    """Pixels per unit, horizontally and vertically; 0 if the file does not say."""
    x, y = tags.get(_X_RESOLUTION, (0, 0)), tags.get(_Y_RESOLUTION, (0, 0))
    if len(x) != 2 or len(y) != 2 or not x[1] or not y[1]:
        return 0.0, 0.0
    return x[0] / x[1], y[0] / y[1]


def _dpi(tags: Tags) -> tuple[float, float] | None:
    across, down = _resolution(tags)
    factor = {_INCH: 1.0, _CENTIMETRE: 2.54}.get(tags.get(_UNIT, (_INCH,))[0], 0.0)
    return checked_dpi(across * factor, down * factor)


def _directory(data: bytes, order: str, big: bool, offset: int) -> tuple[Tags, int]:
    """The wanted tags of the directory at `offset`, and the next directory's offset (0: none)."""
    number, step = ("Q", 20) if big else ("H", 12)
    if offset > len(data):
        raise CorruptImage(f"the TIFF directory at byte {offset} lies beyond the file's {len(data)} bytes")
    count: int = struct.unpack_from(order + number, data, offset)[0]
    first = offset + (8 if big else 2)
    if count > _MAX_ENTRIES or first + count * step > len(data):
        raise CorruptImage(f"the TIFF directory at byte {offset} claims {count} entries")
    tags: Tags = {}
    for position in range(first, first + count * step, step):
        tag, kind = struct.unpack_from(order + "HH", data, position)
        if tag in _WANTED and kind in _CODES:
            tags[tag] = _values(data, order, big, position, kind) or tags.get(tag, ())
    tags = {tag: values for tag, values in tags.items() if values}
    following: int = struct.unpack_from(order + ("Q" if big else "I"), data, first + count * step)[0]
    return tags, following


def _values(data: bytes, order: str, big: bool, position: int, kind: int) -> tuple[int, ...]:
    count: int = struct.unpack_from(order + ("Q" if big else "I"), data, position + 4)[0]
    code = order + _CODES[kind] * min(count, _MAX_VALUES)
    inline = position + (12 if big else 8)
    room = 8 if big else 4
    if struct.calcsize(order + _CODES[kind]) * count > room:
        inline = struct.unpack_from(order + ("Q" if big else "I"), data, inline)[0]
    return struct.unpack_from(code, data, inline)
