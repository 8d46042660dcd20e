"""HEIC and AVIF header, read by libheif (through pillow_heif); pixels stay encoded."""

from typing import Any

import pillow_heif

from pixelmend.errors import CorruptImage
from pixelmend.imaging.headers.fields import HeaderFields, checked_size

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
        frames=max(frames, 2) if data[8:12] in _SEQUENCE_BRANDS else frames,
    )
