"""The formats: one record each, with all that is known of it."""

from enum import StrEnum

from pixelmend.imaging.formats.bmp import BMP
from pixelmend.imaging.formats.gif import GIF
from pixelmend.imaging.formats.heif import AVIF, HEIC
from pixelmend.imaging.formats.jpeg import JPEG
from pixelmend.imaging.formats.png import PNG
from pixelmend.imaging.formats.record import (
    FileContents,
    Format,
    ImageInfo,
    OutputSpec,
    Reading,
    Writing,
    check_encodable,
    losses,
)
from pixelmend.imaging.formats.registry import SNIFF_BYTES, FormatRegistry, format_registry
from pixelmend.imaging.formats.tiff import TIFF
from pixelmend.imaging.formats.webp import WEBP

__all__ = [
    "AVIF",
    "BMP",
    "GIF",
    "HEIC",
    "JPEG",
    "PNG",
    "SNIFF_BYTES",
    "TIFF",
    "WEBP",
    "FileContents",
    "Format",
    "FormatRegistry",
    "ImageInfo",
    "OutputFormat",
    "OutputSpec",
    "Reading",
    "Writing",
    "check_encodable",
    "format_registry",
    "losses",
]


class OutputFormat(StrEnum):
    """The names of the formats that are written, for callers that do not use the registry yet."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"
    AVIF = "avif"
    TIFF = "tiff"

    @property
    def media_type(self) -> str:
        return format_registry().output(self).media_type

    @property
    def suffix(self) -> str:
        return format_registry().output(self).suffix
