"""Read an image's header and refuse it, if need be, before anything is decoded.

Runs in the API process. No pixel is decoded and no compressed chunk is inflated here, so the cost is
bounded by the file's size whatever the header claims.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from pixelmend.core.config import Settings
from pixelmend.core.errors import CorruptImage, ImageTooLarge, TooManyFrames
from pixelmend.core.geometry import Size
from pixelmend.imaging.boundary import reading
from pixelmend.imaging.colour import Colour
from pixelmend.imaging.headers import bmp, gif, heif, jpeg, png, tiff, webp
from pixelmend.imaging.headers.fields import HeaderFields
from pixelmend.imaging.sniff import SNIFF_BYTES, ImageFormat, sniff_format
from pixelmend.imaging.storage import mapped

__all__ = ["ImageFormat", "ImageInfo", "InputLimits", "check_size", "probe", "sniff_format"]


@dataclass(frozen=True, slots=True)
class InputLimits:
    """What an input image may measure, in pixels, as stored; and which formats are read at all."""

    max_pixels: int = 50_000_000
    max_side: int = 16_384
    formats: frozenset[ImageFormat] = frozenset(ImageFormat)


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What the header says. `size` is as stored; `oriented_size` is what `decode` returns.

    bits: 8 or 16 per sample, as decoded (a 1-bit PNG decodes to 8, a 10-bit AVIF to 16). frames: where
    the format stores no count, 2 stands for "more than one". dpi: pixels per inch, if recorded. colour: what
    the file says of its colours besides an ICC profile.
    """

    format: ImageFormat
    size: Size
    orientation: int
    grey: bool
    has_alpha: bool
    bits: int
    frames: int
    dpi: tuple[float, float] | None = None
    colour: Colour | None = None

    @property
    def oriented_size(self) -> Size:
        return self.size.transposed() if self.orientation >= 5 else self.size


_READERS: Mapping[ImageFormat, Callable[[bytes], HeaderFields]] = MappingProxyType(
    {
        ImageFormat.JPEG: jpeg.read,
        ImageFormat.PNG: png.read,
        ImageFormat.WEBP: webp.read,
        ImageFormat.AVIF: heif.read,
        ImageFormat.HEIC: heif.read,
        ImageFormat.TIFF: tiff.read,
        ImageFormat.BMP: bmp.read,
        ImageFormat.GIF: gif.read,
    }
)


@reading("the image's header")
def probe(path: Path, limits: InputLimits, *, first_frame: bool = False) -> ImageInfo:
    """Read the header of the image at `path`.

    first_frame: accept animations and multi-page files, of which the first frame will be decoded.

    Raises UnsupportedFormat, CorruptImage (no usable header, or dimensions no image can have),
    ImageTooLarge, TooManyFrames.
    """
    with path.open("rb") as file:
        image_format = sniff_format(file.read(SNIFF_BYTES), limits.formats)
    with mapped(path) as data:
        fields = _read(image_format, data)
    check_size(fields.size, limits)
    if fields.coded is not None:
        check_size(fields.coded, limits)
    if fields.frames > 1 and not first_frame:
        raise TooManyFrames(f"the {image_format} has {_count(fields.frames)} frames or pages; 1 is accepted")
    return ImageInfo(
        format=image_format,
        size=fields.size,
        orientation=fields.orientation,
        grey=fields.grey,
        has_alpha=fields.has_alpha,
        bits=fields.bits,
        frames=fields.frames,
        dpi=fields.dpi,
        colour=fields.colour,
    )


def input_limits(settings: Settings) -> InputLimits:
    formats = frozenset(map(ImageFormat, settings.formats.split(",")))
    return InputLimits(settings.max_input_pixels, settings.max_input_side_px, formats)


def check_size(size: Size, limits: InputLimits) -> None:
    """Raise ImageTooLarge where `size` exceeds `limits`."""
    if size.pixels > limits.max_pixels:
        raise ImageTooLarge(f"{size} px exceeds max_input_pixels={limits.max_pixels}")
    if max(size.width, size.height) > limits.max_side:
        raise ImageTooLarge(f"{size} px exceeds max_input_side={limits.max_side}")


def _count(frames: int) -> str:
    return "several" if frames == 2 else str(frames)


def _read(image_format: ImageFormat, data: bytes) -> HeaderFields:
    try:
        return _READERS[image_format](data)
    except (struct.error, IndexError) as error:
        raise CorruptImage(f"the {image_format} ends within its header") from error
