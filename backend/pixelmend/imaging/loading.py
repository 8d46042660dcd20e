"""Decoding with libvips to 8 or 16-bit grey or RGB, with straight alpha if any."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyvips

from pixelmend.core.errors import UnsupportedFormat
from pixelmend.imaging.direct import full_range
from pixelmend.imaging.formats.record import FileContents, ImageInfo
from pixelmend.imaging.headers.tiff import TiffDetails
from pixelmend.imaging.metadata import usable_icc
from pixelmend.imaging.tiled_tiff import TilesAsStrips, lay_tiles
from pixelmend.imaging.upright import check_stored_size, upright_canvas
from pixelmend.imaging.vips import decode_errors, pixel_dtype, row_bands

_GREY = frozenset({"b-w", "grey16"})
_RGB = frozenset({"srgb", "rgb", "rgb16"})
_LAB = frozenset({"lab", "labq", "labs"})


def decode_with_vips(
    path: Path,
    data: bytes,
    info: ImageInfo,
    load: Callable[[bytes, dict[str, Any]], pyvips.Image],
    *,
    tiff: TiffDetails | None = None,
    exif: bytes | None = None,
) -> FileContents:
    """Decode `path`, whose bytes are `data`, with `load` and no other loader of libvips.

    load: opens a file name, with options that all loaders share; reads nothing but the header. tiff: of a
    TIFF file. exif: its EXIF block; None for the one that libvips finds. Raises CorruptImage,
    UnsupportedFormat.
    """
    with decode_errors(info.format.name):
        tiles = TilesAsStrips(data) if tiff is not None and tiff.tiled else None
        source = tiles.image() if tiles is not None else load(*_load_arguments(path))
        notes: list[str] = []
        image, icc = _grey_or_rgb(source, info, tiff, notes)
        bits = image.get("bits-per-sample") if image.get_typeof("bits-per-sample") else 8
        if tiles is None:
            check_stored_size(info, image.width, image.height)
        pixels, stored = upright_canvas(info, image.bands, pixel_dtype(image))
        if tiles is not None:
            lay_tiles(row_bands(image), tiles.grid, stored)
        else:
            top = 0
            for band in row_bands(image):
                stored[top : top + len(band)] = band
                top += len(band)
    block = _blob(source, "exif-data") if tiff is None else exif
    return FileContents(full_range(pixels, bits), icc, block, _blob(source, "xmp-data"), tuple(notes))


def _load_arguments(path: Path) -> tuple[bytes, dict[str, Any]]:
    # fail_on: a truncated file is an error, and not an image whose lower half is grey. revalidate: the same
    # path may have held another image before. The path may be no Unicode.
    return os.fsencode(path), {"access": "sequential", "fail_on": "truncated", "revalidate": True}


def _grey_or_rgb(
    image: pyvips.Image, info: ImageInfo, tiff: TiffDetails | None, notes: list[str]
) -> tuple[pyvips.Image, bytes | None]:
    """A lazy image of 1 to 4 bands, uchar or ushort, and the profile that fits it."""
    icc = _blob(image, "icc-profile-data")
    if tiff is not None:
        image = _drop_extra_channels(image, info, tiff, notes)
    if image.interpretation == "cmyk":
        image, icc = _cmyk_to_rgb(image), None
        notes.append("cmyk-converted")
    elif image.interpretation in _LAB:
        image, icc = image.colourspace("rgb16" if info.bits == 16 else "srgb"), None
        notes.append("lab-converted")
    colour = _colour_channels(image)
    if info.grey and colour == 3:  # libheif returns monochrome images as RGB
        image = image.extract_band(0) if image.bands == 3 else image[0].bandjoin(image[3])
        colour = 1
    if image.format not in ("uchar", "ushort"):
        raise UnsupportedFormat(f"the {info.format} has {image.format} samples; 8 or 16 bits are supported")
    if icc is not None and not usable_icc(icc, colour):
        icc = None
        notes.append("icc-unusable")
    return image, icc


def _drop_extra_channels(
    image: pyvips.Image, info: ImageInfo, tiff: TiffDetails, notes: list[str]
) -> pyvips.Image:
    """Keep the colours and, if there is one, alpha (which libvips has made straight)."""
    keep = tiff.colour + info.has_alpha
    if tiff.samples <= keep or image.bands <= keep:
        return image
    notes.append("extra-channels-dropped")
    return image.extract_band(0, n=keep)


def _cmyk_to_rgb(image: pyvips.Image) -> pyvips.Image:
    """Through the embedded profile, or libvips' own CMYK profile if there is none that works."""
    depth = 16 if image.format == "ushort" else 8
    return image.icc_transform(
        "srgb",
        embedded=True,
        input_profile="cmyk",
        intent="relative",
        black_point_compensation=True,
        depth=depth,
    )


def _colour_channels(image: pyvips.Image) -> int:
    if image.interpretation in _GREY and image.bands in (1, 2):
        return 1
    if image.interpretation in _RGB and image.bands in (3, 4):
        return 3
    if image.interpretation == "multiband" and image.bands in (1, 2):
        return 1
    raise UnsupportedFormat(f"the image has {image.bands} channels of kind {image.interpretation}")


def _blob(image: pyvips.Image, field: str) -> bytes | None:
    return bytes(image.get(field)) if image.get_typeof(field) else None
