"""The output formats: what each can hold, and what it cannot."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from pixelmend.core.errors import InvalidParameter, OutputTooLarge
from pixelmend.core.geometry import Size
from pixelmend.imaging import containers
from pixelmend.imaging.metadata import Metadata


class OutputFormat(StrEnum):
    """The formats that can be written."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"
    AVIF = "avif"
    TIFF = "tiff"

    @property
    def media_type(self) -> str:
        return f"image/{self.value}"

    @property
    def suffix(self) -> str:
        """The usual file name extension, with its dot."""
        return {"jpeg": ".jpg", "tiff": ".tif"}.get(self.value, f".{self.value}")


# What the encoders take, not what the formats could: libjpeg stops at 65500, libvips' AVIF at 16384.
_MAX_SIDE: Mapping[OutputFormat, int] = MappingProxyType(
    {
        OutputFormat.PNG: 2**31 - 1,
        OutputFormat.JPEG: 65_500,
        OutputFormat.WEBP: 16_383,
        OutputFormat.AVIF: 16_384,
        OutputFormat.TIFF: 10_000_000,
    }
)
# Below 2^32: incompressible data grows a little.
_BIG_TIFF_BYTES = 3_900_000_000
_DEFAULT_QUALITY: Mapping[OutputFormat, int] = MappingProxyType(
    {OutputFormat.JPEG: 92, OutputFormat.WEBP: 88, OutputFormat.AVIF: 65}
)


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """A result to be written.

    size: of the file. channels and bits: of the rows handed to the writer (1 grey, 2 grey+alpha, 3 RGB,
    4 RGBA; 8 or 16). quality: 1 to 100 for JPEG, WebP and AVIF, None for the format's default (92, 88,
    65); WebP at 100 is lossless.
    """

    format: OutputFormat
    size: Size
    channels: int
    bits: int
    quality: int | None = None

    @property
    def has_alpha(self) -> bool:
        return self.channels in (2, 4)

    @property
    def effective_quality(self) -> int:
        """The quality that applies; 100 for lossless formats."""
        return self.quality if self.quality is not None else _DEFAULT_QUALITY.get(self.format, 100)


def check_encodable(spec: OutputSpec) -> None:
    """Refuse, before any work, what the encoder would refuse after it.

    Raises OutputTooLarge where a side exceeds the format, InvalidParameter for a quality outside 1-100
    or for a format that has none.
    """
    limit = _MAX_SIDE[spec.format]
    if max(spec.size.width, spec.size.height) > limit:
        raise OutputTooLarge(f"{spec.size} px exceeds the {limit} px that {spec.format} can hold on a side")
    if spec.quality is None:
        return
    if spec.format not in _DEFAULT_QUALITY:
        raise InvalidParameter(
            f"quality={spec.quality} applies to jpeg, webp and avif; {spec.format} is lossless"
        )
    if not 1 <= spec.quality <= 100:
        raise InvalidParameter(f"quality={spec.quality} is outside 1..100")


def losses(spec: OutputSpec, metadata: Metadata) -> tuple[str, ...]:
    """What the file will not keep of the rows and their metadata, as short tokens.

    "alpha": flattened onto white. "16-bit": reduced to 8 (JPEG, WebP) or 12 (AVIF) bits. "icc": a grey
    profile where the format has only RGB; the pixels are converted through it. "exif", "xmp": too big
    for JPEG's segments; EXIF also in a TIFF of 4 GB. "text": PNG's text chunks, in all other formats.
    """
    lost: list[str] = []
    if spec.format is OutputFormat.JPEG and spec.has_alpha:
        lost.append("alpha")
    if spec.bits == 16 and spec.format not in (OutputFormat.PNG, OutputFormat.TIFF):
        lost.append("16-bit")
    if metadata.icc and drops_grey_profile(spec):
        lost.append("icc")
    if spec.format is OutputFormat.JPEG:
        if metadata.exif and not containers.fits_in_segment(metadata.exif):
            lost.append("exif")
        if metadata.xmp and not containers.fits_in_segment(metadata.xmp):
            lost.append("xmp")
    if metadata.text and spec.format is not OutputFormat.PNG:
        lost.append("text")
    if is_big_tiff(spec) and metadata.exif:
        lost.append("exif")
    return tuple(lost)


def is_big_tiff(spec: OutputSpec) -> bool:
    """Whether the file is a TIFF that may outgrow 32-bit offsets."""
    raw_bytes = spec.size.pixels * spec.channels * spec.bits // 8
    return spec.format is OutputFormat.TIFF and raw_bytes > _BIG_TIFF_BYTES


def drops_grey_profile(spec: OutputSpec) -> bool:
    """Whether grey rows become RGB in the file, which a grey profile would not fit."""
    return spec.channels <= 2 and spec.format in (OutputFormat.WEBP, OutputFormat.AVIF)
