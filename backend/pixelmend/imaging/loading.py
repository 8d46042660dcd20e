"""Opening an image with libvips as 8 or 16-bit grey or RGB, with straight alpha if any."""

import os
from dataclasses import dataclass
from pathlib import Path

import pyvips

from pixelmend.core.errors import UnsupportedFormat
from pixelmend.imaging import tiff_exif
from pixelmend.imaging.headers import tiff
from pixelmend.imaging.headers.tiff import TiffFields
from pixelmend.imaging.metadata import usable_icc
from pixelmend.imaging.probe import ImageInfo
from pixelmend.imaging.sniff import ImageFormat
from pixelmend.imaging.tiled_tiff import TileGrid, TilesAsStrips

_GREY = frozenset({"b-w", "grey16"})
_RGB = frozenset({"srgb", "rgb", "rgb16"})
_LAB = frozenset({"lab", "labq", "labs"})


@dataclass(frozen=True, slots=True)
class Opened:
    """A lazy image of 1 to 4 bands, uchar or ushort, as stored; and what the file said about it.

    grid: where the rows belong, if they are those of tiles one below the other. source: what the image reads
    from, which has to live as long.
    """

    image: pyvips.Image
    icc: bytes | None
    exif: bytes | None
    xmp: bytes | None
    notes: tuple[str, ...]
    grid: TileGrid | None = None
    source: TilesAsStrips | None = None


def open_with_vips(path: Path, data: bytes, info: ImageInfo) -> Opened:
    """Open `path`, whose bytes are `data`, with the loader of `info.format` and no other.

    Nothing but the header is read before rows are fetched. Raises pyvips.Error, UnsupportedFormat.
    """
    header = tiff.read_tiff(data) if info.format is ImageFormat.TIFF else None
    strips = TilesAsStrips(data) if header is not None and header.tiled else None
    source = strips.image() if strips is not None else _load(path, info.format)
    icc = _blob(source, "icc-profile-data")
    notes: list[str] = []
    image = source
    if header is not None:
        image = _drop_extra_channels(image, header, notes)
    if image.interpretation == "cmyk":
        image = _cmyk_to_rgb(image)
        icc = None
        notes.append("cmyk-converted")
    elif image.interpretation in _LAB:
        image = image.colourspace("rgb16" if info.bits == 16 else "srgb")
        icc = None
        notes.append("lab-converted")
    colour = _colour_channels(image)
    if info.grey and colour == 3:  # libheif hands out monochrome images as RGB
        image = image.extract_band(0) if image.bands == 3 else image[0].bandjoin(image[3])
        colour = 1
    if image.format not in ("uchar", "ushort"):
        raise UnsupportedFormat(f"the {info.format} has {image.format} samples; 8 or 16 bits are supported")
    if icc is not None and not usable_icc(icc, colour):
        icc = None
        notes.append("icc-unusable")
    block = _blob(source, "exif-data")
    if header is not None:
        block = tiff_exif.gather(data)
    grid = strips.grid if strips is not None else None
    return Opened(image, icc, block, _blob(source, "xmp-data"), tuple(notes), grid, strips)


def _load(path: Path, image_format: ImageFormat) -> pyvips.Image:
    # fail_on: a truncated file is an error, never a picture with a grey lower half. revalidate: the
    # same path may have held another image before.
    options = {"access": "sequential", "fail_on": "truncated", "revalidate": True}
    name = os.fsencode(path)  # which may be no Unicode
    match image_format:
        case ImageFormat.JPEG:
            return pyvips.Image.jpegload(name, autorotate=False, unlimited=False, **options)
        case ImageFormat.PNG:
            return pyvips.Image.pngload(name, unlimited=False, **options)
        case ImageFormat.WEBP:
            return pyvips.Image.webpload(name, page=0, n=1, **options)
        case ImageFormat.TIFF:
            # libtiff calls missing pixels an error, which "truncated" lets pass: they would be black.
            options["fail_on"] = "error"
            return pyvips.Image.tiffload(name, page=0, n=1, autorotate=False, unlimited=False, **options)
        case ImageFormat.GIF:
            return pyvips.Image.gifload(name, page=0, n=1, **options)
        case ImageFormat.AVIF:
            # Pages are in the file's order, and any of them may be the primary picture.
            first = pyvips.Image.heifload(name, page=0, n=1, unlimited=False, **options)
            primary = int(first.get("heif-primary"))
            if primary == 0:
                return first
            return pyvips.Image.heifload(name, page=primary, n=1, unlimited=False, **options)
    raise ValueError(f"libvips does not decode {image_format} here")


def _drop_extra_channels(image: pyvips.Image, header: TiffFields, notes: list[str]) -> pyvips.Image:
    """Leave colour and, if there is one, alpha (which libvips has made straight)."""
    keep = header.colour + header.fields.has_alpha
    if header.samples <= keep or image.bands <= keep:
        return image
    notes.append("extra-channels-dropped")
    return image.extract_band(0, n=keep)


def _cmyk_to_rgb(image: pyvips.Image) -> pyvips.Image:
    """Through the embedded profile, or libvips' own CMYK profile where there is none that works."""
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
