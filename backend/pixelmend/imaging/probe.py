"""Read an image's header and refuse it, if need be, before anything is decoded.

Runs in the API process. No pixel is decoded and no compressed chunk is inflated here, so the cost is bounded
by the file's size and does not depend on what the header claims.
"""

import struct
from dataclasses import dataclass, field
from pathlib import Path

from pixelmend.core.config import Settings
from pixelmend.core.errors import CorruptImage, ImageTooLarge, TooManyFrames
from pixelmend.core.geometry import Size
from pixelmend.imaging.boundary import reading
from pixelmend.imaging.formats import (
    AVIF,
    GIF,
    PNG,
    SNIFF_BYTES,
    WEBP,
    Format,
    FormatRegistry,
    ImageInfo,
    format_registry,
)
from pixelmend.imaging.storage import mapped

__all__ = ["ImageInfo", "InputLimits", "check_size", "input_limits", "probe"]

_ANIMATED = (GIF, PNG, WEBP, AVIF)
"""Formats whose frames are a film for the task upscale-video; those of others are pages."""


@dataclass(frozen=True, slots=True)
class InputLimits:
    """What an input image may measure, in pixels, as stored; and which formats are read.

    accepted: names of formats; None for all that `formats` reads.
    """

    max_pixels: int = 50_000_000
    max_side: int = 16_384
    formats: FormatRegistry = field(default_factory=format_registry)
    accepted: tuple[str, ...] | None = None


def input_limits(settings: Settings, formats: FormatRegistry | None = None) -> InputLimits:
    """formats: None for those that come with the package. The settings name which of these are accepted;
    further ones are accepted always.
    """
    own = format_registry()
    formats = formats or own
    further = (each.name for each in formats.inputs if each not in own.inputs)
    accepted = tuple(dict.fromkeys([*settings.formats.split(","), *further]))
    return InputLimits(settings.max_input_pixels, settings.max_input_side_px, formats, accepted)


@reading("the image's header")
def probe(path: Path, limits: InputLimits, *, first_frame: bool = False) -> ImageInfo:
    """Read the header of the image at `path`.

    first_frame: accept animations and multi-page files, of which the first frame will be decoded.

    Raises UnsupportedFormat, CorruptImage (no usable header, or dimensions no image can have), ImageTooLarge,
    TooManyFrames.
    """
    with path.open("rb") as file:
        image_format = limits.formats.recognise(file.read(SNIFF_BYTES), limits.accepted)
    with mapped(path) as data:
        info = _read_header(image_format, data)
    check_size(info.size, limits)
    if info.coded is not None:
        check_size(info.coded, limits)
    if info.frames > 1 and not first_frame:
        further = ", the task upscale-video all of them" if image_format in _ANIMATED else ""
        raise TooManyFrames(
            f"the {image_format} has {_count(info.frames)} frames or pages; 1 is accepted: first_frame takes "
            f"the first{further}"
        )
    return info


def check_size(size: Size, limits: InputLimits) -> None:
    """Raise ImageTooLarge if `size` exceeds `limits`."""
    if size.pixels > limits.max_pixels:
        raise ImageTooLarge(f"{size} px exceeds max_input_pixels={limits.max_pixels}")
    if max(size.width, size.height) > limits.max_side:
        raise ImageTooLarge(f"{size} px exceeds max_input_side_px={limits.max_side}")


def _count(frames: int) -> str:
    return "several" if frames == 2 else str(frames)


def _read_header(image_format: Format, data: bytes) -> ImageInfo:
    assert image_format.reading is not None, "only formats that are read are recognised"
    try:
        return ImageInfo.of(image_format, image_format.reading.read_header(data))
    except (struct.error, IndexError) as error:
        raise CorruptImage(f"the {image_format} ends within its header") from error
