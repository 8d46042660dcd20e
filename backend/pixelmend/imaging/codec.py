"""Decode an image file to an array, upright, with its metadata. Runs in the worker."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixelmend.core.errors import CorruptImage
from pixelmend.core.geometry import Size
from pixelmend.imaging import exif, tiff_exif, xmp
from pixelmend.imaging.bmp import decode_bmp
from pixelmend.imaging.boundary import reading
from pixelmend.imaging.colour_profile import ADOBE_RGB, is_known, profile_for
from pixelmend.imaging.direct import Direct, decode_heic, full_range, unpremultiplied
from pixelmend.imaging.extras import find_extras, png_text, signs_in_xmp
from pixelmend.imaging.headers import heif, png, tiff
from pixelmend.imaging.loading import open_with_vips
from pixelmend.imaging.metadata import Metadata, usable_icc
from pixelmend.imaging.pillow_tiff import check_decodable, decode_tiff, needs_pillow
from pixelmend.imaging.probe import ImageInfo, InputLimits, probe
from pixelmend.imaging.sniff import ImageFormat
from pixelmend.imaging.storage import mapped
from pixelmend.imaging.tiled_tiff import lay_tiles
from pixelmend.imaging.vips import PixelDtype, Pixels, configure_vips, decode_errors, pixel_dtype, row_bands

__all__ = ["Decoded", "configure_vips", "decode"]

# What their headers say of transparency and grey is a permission and no promise.
_LOOSE_FORMATS = frozenset({ImageFormat.GIF, ImageFormat.WEBP})


@dataclass(frozen=True, slots=True)
class Decoded:
    """An upright image.

    pixels: (H, W, C) uint8 or uint16 over the full range, C-contiguous; C is 1 grey, 2 grey+alpha,
    3 RGB, 4 RGBA; alpha is straight. notes: short tokens naming what could not be kept as it was
    ("cmyk-converted", "lab-converted", "first-frame", "icc-unusable", "exif-unusable", "colour-unknown",
    "extra-channels-dropped", and those of `extras.py`).
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
    (BMP, HEIC, some TIFF, WebP, AVIF, progressive JPEG: up to two copies more).
    Raises what `probe` raises, and CorruptImage for truncated or undecodable data, or for pixels that are not
    what the header promised.
    """
    info = probe(path, limits, first_frame=first_frame)
    with mapped(path) as data:
        found = _decode_upright(path, data, info)
        _check_channels(info, found.pixels)
        notes = [*found.notes, *find_extras(info.format, data), *signs_in_xmp(found.xmp or b"")]
        if "gain-map" in notes and "further-images" in notes:  # the further image is the gain map
            notes.remove("further-images")
        if info.frames > 1:
            notes.append("first-frame")
        metadata, unusable = _metadata(info, found, data)
    return Decoded(found.pixels, metadata, tuple(dict.fromkeys([*unusable, *notes])))


def _metadata(info: ImageInfo, found: Direct, data: bytes) -> tuple[Metadata, list[str]]:
    """What goes on with the pixels, and tokens for what was there and cannot."""
    notes = []
    channels = 1 if found.pixels.shape[2] <= 2 else 3
    block = exif.without_prefix(found.exif) if found.exif else None
    if found.exif and block is None:
        notes.append("exif-unusable")
    icc = found.icc if usable_icc(found.icc, channels) else None
    is_png = info.format is ImageFormat.PNG
    # libpng drops a profile that does not fit the pixels, and says so to no one.
    if icc is None and (found.icc is not None or (is_png and png.has_profile(data))):
        notes.append("icc-unusable")
    converted = "cmyk-converted" in found.notes or "lab-converted" in found.notes
    colour = None if converted else info.colour
    # In HEIF a profile and code points exclude each other for pixels; in PNG code points come first.
    if icc is not None and not is_png:
        colour = None
    if icc is None and colour is None and block is not None and exif.is_adobe_rgb(block) and not converted:
        colour = ADOBE_RGB if channels == 3 else None
    if icc is None and colour is not None:
        icc = profile_for(colour, channels)
        if colour.cicp is not None and not is_known(colour.cicp):
            notes.append("colour-unknown")
    metadata = Metadata(
        icc,
        block,
        xmp.without_promises(found.xmp) if found.xmp else None,
        info.dpi or (exif.dpi(block) if block else None),
        cicp=colour.cicp if colour is not None else None,
        text=png_text(data) if is_png else (),
    )
    return metadata.upright(info.oriented_size), notes


def _decode_upright(path: Path, data: bytes, info: ImageInfo) -> Direct:
    match info.format:
        case ImageFormat.BMP:
            return _turned(decode_bmp(path), info)
        case ImageFormat.HEIC:
            return _turned(decode_heic(path), info)
        case ImageFormat.TIFF:
            header = tiff.read_tiff(data)
            check_decodable(header)
            if needs_pillow(header):
                return _turned(decode_tiff(path, header, exif=tiff_exif.gather(data)), info)
        case _:
            pass
    return _decode_with_vips(path, data, info)


def _decode_with_vips(path: Path, data: bytes, info: ImageInfo) -> Direct:
    with decode_errors(info.format):
        opened = open_with_vips(path, data, info)
        image = opened.image
        bits = image.get("bits-per-sample") if image.get_typeof("bits-per-sample") else 8
        if opened.grid is None:
            _check_size(info, image.width, image.height)
        pixels, stored = _canvas(info, image.bands, pixel_dtype(image))
        if opened.grid is not None:
            lay_tiles(row_bands(image), opened.grid, stored)
        else:
            top = 0
            for band in row_bands(image):
                stored[top : top + len(band)] = band
                top += len(band)
    pixels = full_range(pixels, bits)
    if info.format is ImageFormat.AVIF and pixels.shape[2] in (2, 4) and heif.read_heif(data).premultiplied:
        pixels = unpremultiplied(pixels)
    return Direct(pixels, opened.icc, opened.exif, opened.xmp, opened.notes)


def _turned(direct: Direct, info: ImageInfo) -> Direct:
    height, width, channels = direct.pixels.shape
    _check_size(info, width, height)
    pixels, stored = _canvas(info, channels, direct.pixels.dtype)
    stored[:] = direct.pixels
    return Direct(pixels, direct.icc, direct.exif, direct.xmp, direct.notes)


def _check_size(info: ImageInfo, width: int, height: int) -> None:
    if (width, height) != (info.size.width, info.size.height):
        raise CorruptImage(f"the header says {info.size} px, the data {width}x{height} px")


def _check_channels(info: ImageInfo, pixels: Pixels) -> None:
    """The decoder has to give what the header promised, or the picture is not the one that was sent."""
    channels, bits = pixels.shape[2], pixels.dtype.itemsize * 8
    promised = (1 if info.grey else 3) + info.has_alpha
    if bits != info.bits or (channels != promised and info.format not in _LOOSE_FORMATS):
        raise CorruptImage(
            f"the header says {promised} channels of {info.bits} bits, the data has {channels} of {bits}"
        )


def _canvas(info: ImageInfo, channels: int, dtype: PixelDtype) -> tuple[Pixels, Pixels]:
    """An empty upright array, and a view of it in which indices are those of the stored image."""
    size = info.oriented_size
    pixels = np.empty((size.height, size.width, channels), dtype)
    rows_reversed = info.orientation in (3, 4, 7, 8)
    columns_reversed = info.orientation in (2, 3, 6, 7)
    view = pixels[:: -1 if rows_reversed else 1, :: -1 if columns_reversed else 1]
    return pixels, view.transpose(1, 0, 2) if info.orientation >= 5 else view
