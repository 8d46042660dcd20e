"""HEIC and AVIF header: the primary image's properties. Pixels and metadata are not read."""

import struct
from dataclasses import dataclass

from pixelmend.core.errors import CorruptImage
from pixelmend.core.geometry import Size
from pixelmend.imaging.colour import Cicp, Colour
from pixelmend.imaging.headers.fields import HeaderFields, checked_size
from pixelmend.imaging.headers.heif_items import (
    METADATA_KINDS,
    Box,
    Cursor,
    Item,
    Meta,
    full,
    read_meta,
    walk,
)

_MAX_PADDING = 63  # encoders round sizes up to whole blocks and crop the rest away
_SEQUENCE_BRANDS = (b"avis", b"msf1", b"hevc", b"hevx")
_ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")
_GAIN_MAP = (b"urn:com:apple:photo:2020:aux:hdrgainmap",)
_DEPTH = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:depth", b"urn:mpeg:hevc:2015:auxid:2")
_NOT_IMAGES = METADATA_KINDS | {b""}


@dataclass(frozen=True, slots=True)
class HeifDetails:
    """premultiplied: the primary image's colours are stored multiplied by its alpha. extras: tokens as in
    `formats.Reading`.
    """

    premultiplied: bool
    extras: tuple[str, ...]


def read(data: bytes) -> HeaderFields:
    """Read the `meta` box of a HEIC or AVIF file. Raises CorruptImage, struct.error for short data.

    Rotation, mirroring and cropping are properties of the container here and the decoders apply them: `size`
    is already upright, orientation is 1, and an EXIF orientation tag does not count.
    """
    meta = read_meta(data)
    primary = meta.items[meta.primary]
    auxiliaries = _auxiliaries(data, meta)
    alpha = next((number for number, urn in auxiliaries.items() if urn in _ALPHA), None)
    frames = max(1, len(_images(meta)))
    if bytes(data[8:12]) in _SEQUENCE_BRANDS:
        frames = max(frames, 2)
    depths = _depths(data, primary, meta)
    premultiplied = any(
        reference.kind == b"prem" and reference.source == meta.primary and alpha in reference.targets
        for reference in meta.references
    )
    return HeaderFields(
        size=_size(data, primary),
        grey=len(depths) == 1,
        has_alpha=alpha is not None,
        bits=16 if max(depths) > 8 else 8,
        frames=frames,
        coded=_coded_size(data, meta),
        colour=_colour(data, primary),
        details=HeifDetails(premultiplied, _extras(data, meta, primary, auxiliaries)),
    )


def _auxiliaries(data: bytes, meta: Meta) -> dict[int, bytes]:
    """The kinds of the primary image's auxiliary images, by their item number."""
    found = {}
    for reference in meta.references:
        item = meta.items.get(reference.source)
        if reference.kind == b"auxl" and item is not None and meta.primary in reference.targets:
            kinds = [box for box in item.properties if box.kind == b"auxC"]
            if kinds:
                found[item.number] = Cursor(data, full(data, kinds[0])[2]).text()
    return found


def _images(meta: Meta) -> list[int]:
    """The images that are not tiles, thumbnails or auxiliary images of others."""
    parts = {
        number
        for reference in meta.references
        for number in (reference.targets if reference.kind == b"dimg" else ())
    }
    small = {reference.source for reference in meta.references if reference.kind in (b"thmb", b"auxl")}
    dependent = parts | small
    return [
        item.number
        for item in meta.items.values()
        if item.kind not in _NOT_IMAGES
        and item.kind != b"tmap"
        and not item.hidden
        and item.number not in dependent
    ]


def _extras(data: bytes, meta: Meta, primary: Item, auxiliaries: dict[int, bytes]) -> tuple[str, ...]:
    found: list[str] = []
    if any(item.kind == b"tmap" for item in meta.items.values()) or set(auxiliaries.values()) & set(
        _GAIN_MAP
    ):
        found.append("gain-map")
    if set(auxiliaries.values()) & set(_DEPTH):
        found.append("depth")
    known = {*_ALPHA, *_GAIN_MAP, *_DEPTH}
    if any(urn not in known for urn in auxiliaries.values()):
        found.append("further-images")
    if any(box.kind == b"uuid" and _is_c2pa(data, box) for box in walk(data, 0, len(data))):
        found.append("c2pa")
    if any(_is_oblong(data, box) for box in _properties(primary, b"pasp")):
        found.append("pixel-aspect")
    return tuple(found)


def _is_c2pa(data: bytes, box: Box) -> bool:
    return bytes(data[box.start : box.start + 16]).hex() == "d8fec3d61b0e483c92975828877ec481"


def _is_oblong(data: bytes, box: Box) -> bool:
    """Whether a `pasp` box says that pixels are not square; 0 says nothing."""
    cursor = Cursor(data, box)
    across, down = cursor.number(4), cursor.number(4)
    return bool(across and down) and across != down


def _properties(item: Item, kind: bytes) -> list[Box]:
    return [box for box in item.properties if box.kind == kind]


def _stored_size(data: bytes, item: Item) -> Size:
    sizes = _properties(item, b"ispe")
    if not sizes:
        raise CorruptImage("the HEIF file's primary image has no size")
    cursor = Cursor(data, full(data, sizes[0])[2])
    return checked_size(cursor.number(4), cursor.number(4))


def _size(data: bytes, item: Item) -> Size:
    size = _stored_size(data, item)
    for box in item.properties:  # in the order in which they apply
        if box.kind == b"clap":
            size = _cropped(data, box, size)
        elif box.kind == b"irot" and Cursor(data, box).number(1) & 1:
            size = size.transposed()
    return size


def _cropped(data: bytes, box: Box, size: Size) -> Size:
    """libheif's arithmetic: the centre of the crop is at a fraction of a pixel, and its edges are rounded."""
    values = struct.unpack_from(">IIIIiIiI", data, box.start)
    width, width_of, height, height_of, right, right_of, down, down_of = values
    if not (width_of and height_of and right_of and down_of):
        raise CorruptImage("the HEIF file's crop divides by zero")
    across = _kept(size.width, width / width_of, right / right_of)
    along = _kept(size.height, height / height_of, down / down_of)
    return checked_size(across, along)


def _kept(side: int, length: float, offset: float) -> int:
    first = round(offset + (side - 1) / 2 - (length - 1) / 2)
    last = round(offset + (side - 1) / 2 + (length - 1) / 2)
    return min(side - 1, last) - max(0, first) + 1


def _depths(data: bytes, item: Item, meta: Meta) -> list[int]:
    """Bits of each channel. A grid without that property has those of its first tile."""
    own = _own_depths(data, item)
    if own:
        return own
    for reference in meta.references:
        if reference.kind == b"dimg" and reference.source == item.number and reference.targets:
            tile = meta.items.get(reference.targets[0])
            return (_own_depths(data, tile) if tile is not None else None) or [8, 8, 8]
    return [8, 8, 8]


def _own_depths(data: bytes, item: Item) -> list[int] | None:
    for box in _properties(item, b"pixi"):
        cursor = Cursor(data, full(data, box)[2])
        return [cursor.number(1) for _ in range(cursor.number(1))]
    for box in _properties(item, b"av1C"):
        flags = Cursor(data, box).number(3) & 0xFF
        depth = 12 if flags & 0x20 and flags & 0x40 else 10 if flags & 0x40 else 8
        return [depth] if flags & 0x10 else [depth] * 3
    for box in _properties(item, b"hvcC"):
        cursor = Cursor(data, box)
        head = bytes(cursor.number(1) for _ in range(18))
        depth = 8 + (head[17] & 7)
        return [depth] if head[16] & 3 == 0 else [depth] * 3
    return None


def _colour(data: bytes, item: Item) -> Colour | None:
    for box in _properties(item, b"colr"):
        if bytes(data[box.start : box.start + 4]) == b"nclx":
            cursor = Cursor(data, Box(box.kind, box.start + 4, box.end))
            return Colour(Cicp(cursor.number(2), cursor.number(2)))
    return None


def _coded_size(data: bytes, meta: Meta) -> Size | None:
    """The largest size among the file's images, less padding; None if the file names none.

    A file could claim 60x40 px, cut from 30000x30000.
    """
    sizes = [_stored_size(data, item) for item in meta.items.values() if _properties(item, b"ispe")]
    if not sizes:
        return None
    largest = max(sizes, key=lambda size: size.pixels)
    return Size(max(1, largest.width - _MAX_PADDING), max(1, largest.height - _MAX_PADDING))
