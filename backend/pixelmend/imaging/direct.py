"""Decoding HEIC through libheif, and what the decoders other than libvips share."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
from PIL import ImageCms

from pixelmend.core.errors import CorruptImage
from pixelmend.imaging.formats.record import FileContents
from pixelmend.imaging.vips import Pixels

# Pillow and pillow_heif raise these for damaged data
_LIBRARY_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    RuntimeError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    AttributeError,
    TypeError,
)


@contextmanager
def library_errors(what: str) -> Iterator[None]:
    """Turn what Pillow and pillow_heif raise for damaged data into CorruptImage. what: names the format."""
    try:
        yield
    except (*_LIBRARY_ERRORS, ImageCms.PyCMSError) as error:
        raise CorruptImage(f"the {what} cannot be decoded: {error}") from error


def decode_heic(path: Path) -> FileContents:
    """Decode the primary image of a HEIC file, upright. 10 and 12 bits become 16. Raises CorruptImage."""
    with library_errors("heic"):
        file = pillow_heif.open_heif(path, convert_hdr_to_8bit=False)
        image = file[file.primary_index]
        pixels = np.asarray(image)
    if pixels.ndim == 2:
        pixels = pixels[:, :, np.newaxis]
    if image.mode.startswith(("RGBa", "La")):
        pixels = unpremultiplied(pixels)
    info: dict[str, Any] = image.info
    return FileContents(
        full_range(pixels, int(info["bit_depth"])),
        icc=info.get("icc_profile") or None,
        exif=info.get("exif") or None,
        xmp=info.get("xmp") or None,
    )


def full_range(pixels: Pixels, bits: int) -> Pixels:
    """Spread `bits`-bit samples that sit in the upper bits of 16 over the full range, in place.

    The decoders shift and leave the low bits empty, which turns white into 65472 of 65535.
    """
    if pixels.dtype == np.uint16 and 8 < bits < 16:
        pixels = pixels if pixels.flags.writeable else pixels.copy()
        for row in pixels:
            row |= row >> bits
    return pixels


def unpremultiplied(pixels: Pixels) -> Pixels:
    """Colours divided by their alpha, the last channel: (H, W, 2 or 4), a copy."""
    limit = np.iinfo(pixels.dtype).max
    out = pixels.copy()
    for row in out:  # a row at a time: the arithmetic is in double precision
        alpha = row[:, -1:].astype(np.float64)
        straight = row[:, :-1] * (limit / np.maximum(alpha, 1.0))
        row[:, :-1] = np.minimum(np.rint(straight), limit)
    return out
