"""Decode an image file to an array, upright, with its metadata. Runs in the worker."""

import importlib
from dataclasses import dataclass
from pathlib import Path

from pixelmend.core.errors import CorruptImage
from pixelmend.core.geometry import Size
from pixelmend.imaging import exif, xmp
from pixelmend.imaging.boundary import reading
from pixelmend.imaging.colour_profile import ADOBE_RGB, is_known, profile_for
from pixelmend.imaging.formats import FileContents, ImageInfo, Reading
from pixelmend.imaging.metadata import Metadata, usable_icc
from pixelmend.imaging.probe import InputLimits, probe
from pixelmend.imaging.storage import mapped
from pixelmend.imaging.vips import Pixels, configure_vips


@dataclass(frozen=True, slots=True)
class Decoded:
    """An upright image.

    pixels: (H, W, C) uint8 or uint16 over the full range, C-contiguous; C is 1 grey, 2 grey+alpha,
    3 RGB, 4 RGBA; alpha is straight. notes: short tokens naming what could not be kept as it was
    ("cmyk-converted", "lab-converted", "first-frame", "icc-unusable", "exif-unusable", "colour-unknown",
    "extra-channels-dropped", and those of `Reading.find_extras`).
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


def configure_decoders(threads: int) -> None:
    """Set the libraries that decode up for this process, and load them, so that no image waits for that.

    threads: size of libvips' pool.
    """
    importlib.import_module("pixelmend.imaging.loading")
    importlib.import_module("pixelmend.imaging.pillow_tiff")
    configure_vips(threads)


@reading("the image")
def decode(path: Path, limits: InputLimits, *, first_frame: bool = False) -> Decoded:
    """Decode the image at `path`: probe, decode, apply orientation, collect metadata.

    Holds one copy of the pixels plus some 20 MB; libraries that decode a whole image at once add theirs
    (BMP, HEIC, some TIFF, WebP, AVIF, progressive JPEG: up to two copies more).
    Raises what `probe` raises, and CorruptImage for truncated or undecodable data, or for pixels that are not
    what the header promised.
    """
    info = probe(path, limits, first_frame=first_frame)
    format_reading = info.format.reading
    assert format_reading is not None, "only formats that are read are probed"
    with mapped(path) as data:
        found = format_reading.decode(path, data, info)
        _check_channels(info, format_reading, found.pixels)
        notes = [*found.notes, *format_reading.find_extras(data, info), *xmp.extras(found.xmp or b"")]
    if "gain-map" in notes and "further-images" in notes:  # the further image is the gain map
        notes.remove("further-images")
    if info.frames > 1:
        notes.append("first-frame")
    metadata, unusable = _metadata(info, format_reading, found)
    return Decoded(found.pixels, metadata, tuple(dict.fromkeys([*unusable, *notes])))


def _metadata(info: ImageInfo, format_reading: Reading, found: FileContents) -> tuple[Metadata, list[str]]:
    """What is kept with the pixels, and tokens for what was there and cannot be kept."""
    notes = []
    channels = 1 if found.pixels.shape[2] <= 2 else 3
    block = exif.without_prefix(found.exif) if found.exif else None
    if found.exif and block is None:
        notes.append("exif-unusable")
    icc = found.icc if usable_icc(found.icc, channels) else None
    if icc is None and found.icc is not None:
        notes.append("icc-unusable")
    converted = "cmyk-converted" in found.notes or "lab-converted" in found.notes
    colour = None if converted else info.colour
    if icc is not None and not format_reading.code_points_first:
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
        xmp.without_missing_data(found.xmp) if found.xmp else None,
        info.dpi or (exif.dpi(block) if block else None),
        cicp=colour.cicp if colour is not None else None,
        text=found.text,
    )
    return metadata.upright(info.oriented_size), notes


def _check_channels(info: ImageInfo, format_reading: Reading, pixels: Pixels) -> None:
    """The decoder has to give what the header promised, or the image is not the one that was sent."""
    channels, bits = pixels.shape[2], pixels.dtype.itemsize * 8
    promised = (1 if info.grey else 3) + info.has_alpha
    if bits != info.bits or (channels != promised and format_reading.exact_header):
        raise CorruptImage(
            f"the header says {promised} channels of {info.bits} bits, the data has {channels} of {bits}"
        )
