"""HEIC and AVIF header, read by libheif (through pillow_heif); pixels stay encoded."""

import re
import struct
from typing import Any

import pillow_heif

from pixelmend.errors import CorruptImage
from pixelmend.imaging.geometry import Size
from pixelmend.imaging.headers.fields import MAX_SEGMENTS, HeaderFields, checked_size

# An image-size property: box length 20, version and flags 0, width, height
_IMAGE_SIZE = re.compile(rb"\x00\x00\x00\x14ispe\x00{4}(.{4})(.{4})", re.DOTALL)
_MAX_PADDING = 63  # encoders round sizes up to whole blocks and crop the rest away
_SEQUENCE_BRANDS = (b"avis", b"msf1", b"hevc", b"hevx")


def read(data: bytes) -> HeaderFields:
    """Read the header of a HEIC or AVIF file. Raises CorruptImage.

    Rotation and mirroring are properties of the container here and libheif applies them: `size` is
    already upright, orientation is 1, and an EXIF orientation tag has no say.
    """
    try:
        file = pillow_heif.open_heif(data, convert_hdr_to_8bit=False)
        image = file[file.primary_index]
        width, height = image.size
        info: dict[str, Any] = image.info
        bits, mode, frames = int(info["bit_depth"]), str(image.mode), len(file)
    except (OSError, ValueError, SyntaxError, RuntimeError, EOFError, IndexError, KeyError) as error:
        raise CorruptImage(f"the HEIF header cannot be read: {error}") from error
    return HeaderFields(
        size=checked_size(width, height),
        grey=mode.startswith(("L", "I")),
        has_alpha="A" in mode.upper(),
        bits=16 if bits > 8 else 8,
        coded=_coded_size(data),
        frames=max(frames, 2) if data[8:12] in _SEQUENCE_BRANDS else frames,
    )


def _coded_size(data: bytes) -> Size | None:
    """The largest size among the file's images, less padding; None where the file names none.

    libheif reports the size after cropping: a file could claim 60x40 px, cut from 30000x30000.
    """
    sizes = [
        checked_size(int.from_bytes(found[1], "big"), int.from_bytes(found[2], "big"))
        for found in _IMAGE_SIZE.finditer(_meta_box(data))
    ]
    if not sizes:
        return None
    largest = max(sizes, key=lambda size: size.pixels)
    return Size(max(1, largest.width - _MAX_PADDING), max(1, largest.height - _MAX_PADDING))


def _meta_box(data: bytes) -> bytes:
    """The box that describes all images; empty where there is none."""
    position = 0
    for _ in range(MAX_SEGMENTS):
        if position + 16 > len(data):
            break
        length, name = struct.unpack_from(">I4s", data, position)
        if length == 1:
            length = struct.unpack_from(">Q", data, position + 8)[0]
        elif length == 0:  # up to the end of the file
            length = len(data) - position
        if name == b"meta":
            return data[position : position + length]
        if length < 8:
            break
        position += length
    return b""
