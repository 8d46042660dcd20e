"""Decode an image file to an array, upright, with its metadata. Runs in the worker."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pixelmend.errors import CorruptImage
from pixelmend.imaging import exif
from pixelmend.imaging.boundary import reading
from pixelmend.imaging.direct import Direct, decode_bmp, decode_heic, decode_lab_tiff, full_range
from pixelmend.imaging.geometry import Size
from pixelmend.imaging.headers import tiff
from pixelmend.imaging.loading import open_with_vips
from pixelmend.imaging.metadata import Metadata, usable_icc
from pixelmend.imaging.probe import ImageInfo, InputLimits, probe
from pixelmend.imaging.sniff import ImageFormat
from pixelmend.imaging.storage import mapped
from pixelmend.imaging.vips import PixelDtype, Pixels, configure_vips, decode_errors, pixel_dtype, row_bands

__all__ = ["Decoded", "configure_vips", "decode"]

_CIELAB = 8


@dataclass(frozen=True, slots=True)
class Decoded:
    """An upright image.

    pixels: (H, W, C) uint8 or uint16 over the full range, C-contiguous; C is 1 grey, 2 grey+alpha,
    3 RGB, 4 RGBA; alpha is straight. notes: short tokens naming what could not be kept as it was
    ("cmyk-converted", "lab-converted", "first-frame", "icc-unusable", "exif-unusable",
    "extra-channels-dropped").
    """

    pixels: Pixels
    metadata: Metadata
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> Size:
        return Size(self.pixels.shape[1], self.pixels.shape[0])

    @property
    def channels(self) -> int:
        return int(self.pixels.shape[2])

    @property
    def bits(self) -> int:
        return self.pixels.dtype.itemsize * 8

    @property
    def has_alpha(self) -> bool:
        return self.channels in (2, 4)


@reading("the image")
def decode(path: Path, limits: InputLimits, *, first_frame: bool = False) -> Decoded:
    """Decode the image at `path`: probe, decode, apply orientation, collect metadata.

    Holds one copy of the pixels plus some 20 MB; libraries that decode a whole image at once add theirs
    (BMP, HEIC, Lab TIFF, WebP, AVIF, progressive JPEG: up to two copies more).
    Raises what `probe` raises, and CorruptImage for truncated or undecodable data.
    """
    info = probe(path, limits, first_frame=first_frame)
    direct = _decode_directly(path, info)
    found = direct if direct is not None else _decode_with_vips(path, info)
    pixels = found.pixels

    notes = list(found.notes)
    icc = found.icc
    if icc is not None and not usable_icc(icc, 1 if pixels.shape[2] <= 2 else 3):
        icc = None
        notes.append("icc-unusable")
    block = exif.without_prefix(found.exif) if found.exif else None
    if found.exif and block is None:
        notes.append("exif-unusable")
    if info.frames > 1:
        notes.append("first-frame")
    dpi = info.dpi or (exif.dpi(block) if block else None)
    metadata = Metadata(icc, block, found.xmp, dpi).upright(info.oriented_size)
    return Decoded(pixels, metadata, tuple(dict.fromkeys(notes)))


def _decode_directly(path: Path, info: ImageInfo) -> Direct | None:
    """The image through a library other than libvips, where that is the one that can."""
    if info.format is ImageFormat.BMP:
        direct = decode_bmp(path)
    elif info.format is ImageFormat.HEIC:
        direct = decode_heic(path)
    elif info.format is ImageFormat.TIFF and _is_eight_bit_lab(path, info):
        direct = decode_lab_tiff(path)
        info = replace(info, size=info.oriented_size, orientation=1)
    else:
        return None
    height, width, channels = direct.pixels.shape
    _check_agreement(info, width, height)
    pixels = _upright([direct.pixels], info, channels, direct.pixels.dtype)
    return Direct(pixels, direct.icc, direct.exif, direct.xmp, direct.notes)


def _decode_with_vips(path: Path, info: ImageInfo) -> Direct:
    with decode_errors(info.format):
        opened = open_with_vips(path, info)
        image = opened.image
        _check_agreement(info, image.width, image.height)
        bits = image.get("bits-per-sample") if image.get_typeof("bits-per-sample") else 8
        pixels = _upright(row_bands(image), info, image.bands, pixel_dtype(image))
    return Direct(full_range(pixels, bits), opened.icc, opened.exif, opened.xmp, opened.notes)


def _check_agreement(info: ImageInfo, width: int, height: int) -> None:
    if (width, height) != (info.size.width, info.size.height):
        raise CorruptImage(f"the header says {info.size} px, the data {width}x{height} px")


def _is_eight_bit_lab(path: Path, info: ImageInfo) -> bool:
    with mapped(path) as data:
        return info.bits == 8 and tiff.read_tiff(data).photometric == _CIELAB


def _upright(bands: Iterable[Pixels], info: ImageInfo, channels: int, dtype: PixelDtype) -> Pixels:
    """Lay bands of stored rows into one upright array."""
    size = info.oriented_size
    pixels = np.empty((size.height, size.width, channels), dtype)
    stored = _as_stored(pixels, info.orientation)
    top = 0
    for band in bands:
        stored[top : top + len(band)] = band
        top += len(band)
    return pixels


def _as_stored(upright: Pixels, orientation: int) -> Pixels:
    """A view of the upright array in which indices are those of the stored image."""
    rows_reversed = orientation in (3, 4, 7, 8)
    columns_reversed = orientation in (2, 3, 6, 7)
    view = upright[:: -1 if rows_reversed else 1, :: -1 if columns_reversed else 1]
    return view.transpose(1, 0, 2) if orientation >= 5 else view
