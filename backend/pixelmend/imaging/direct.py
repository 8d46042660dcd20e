"""Decoding what libvips cannot: BMP and 8-bit Lab TIFF with Pillow, HEIC with libheif."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
from PIL import ImageCms, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.TiffImagePlugin import TiffImageFile

from pixelmend.errors import CorruptImage
from pixelmend.imaging.vips import Pixels

# What Pillow and pillow_heif raise for damaged data
_LIBRARY_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    RuntimeError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
)


@dataclass(frozen=True, slots=True)
class Direct:
    """Pixels as stored, (H, W, C) with C as in `Decoded`, and what the file said about them."""

    pixels: Pixels
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    notes: tuple[str, ...] = ()


def decode_bmp(path: Path) -> Direct:
    """Decode a BMP file of any depth. Raises CorruptImage."""
    try:
        with BmpImageFile(path) as image:
            return Direct(_eight_bit(image))
    except _LIBRARY_ERRORS as error:
        raise CorruptImage(f"the bmp cannot be decoded: {error}") from error


def decode_lab_tiff(path: Path) -> Direct:
    """Decode an 8-bit CIELab TIFF to sRGB, upright: Pillow turns TIFFs itself. Raises CorruptImage."""
    try:
        with warnings.catch_warnings(), TiffImageFile(path) as image:
            warnings.simplefilter("ignore")  # Pillow's opinions on odd tags
            converted = ImageCms.profileToProfile(
                image, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
    except (*_LIBRARY_ERRORS, ImageCms.PyCMSError) as error:
        raise CorruptImage(f"the tiff cannot be decoded: {error}") from error
    if converted is None:
        raise CorruptImage("the tiff cannot be decoded: its Lab data cannot be converted")
    return Direct(np.asarray(converted), notes=("lab-converted",))


def decode_heic(path: Path) -> Direct:
    """Decode the primary image of a HEIC file, upright. 10 and 12 bits become 16. Raises CorruptImage."""
    try:
        file = pillow_heif.open_heif(path, convert_hdr_to_8bit=False)
        image = file[file.primary_index]
        pixels = np.asarray(image)
    except (*_LIBRARY_ERRORS, AttributeError) as error:
        raise CorruptImage(f"the heic cannot be decoded: {error}") from error
    if pixels.ndim == 2:
        pixels = pixels[:, :, np.newaxis]
    if image.mode.startswith(("RGBa", "La")):
        pixels = _unpremultiplied(pixels)
    info: dict[str, Any] = image.info
    return Direct(
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


def _eight_bit(image: ImageFile.ImageFile) -> Pixels:
    plain = {"1": "L", "P": "RGB"}.get(image.mode, image.mode)
    pixels = np.asarray(image.convert(plain) if plain != image.mode else image)
    return pixels[:, :, np.newaxis] if pixels.ndim == 2 else pixels


def _unpremultiplied(pixels: Pixels) -> Pixels:
    limit = np.iinfo(pixels.dtype).max
    out = pixels.copy()
    for row in out:  # a row at a time: the arithmetic is in double precision
        alpha = row[:, -1:].astype(np.float64)
        straight = row[:, :-1] * (limit / np.maximum(alpha, 1.0))
        row[:, :-1] = np.minimum(np.rint(straight), limit)
    return out
