"""The formats: one record each, with all that is known of it."""

from pixelmend.imaging.formats.bmp import BMP
from pixelmend.imaging.formats.foreign import describe
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
from pixelmend.imaging.formats.registry import SNIFF_BYTES, FormatRegistry, format_named, format_registry
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
    "OutputSpec",
    "Reading",
    "Writing",
    "check_encodable",
    "describe",
    "format_named",
    "format_registry",
    "losses",
]
