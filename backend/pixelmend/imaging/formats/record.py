"""What a format is: everything that the service knows of one, in one record.

The API process reads headers and checks outputs, and must not load the libraries that decode and encode. So
the functions of a record import those libraries when they are called.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelmend.core.errors import InvalidParameter, OutputTooLarge
from pixelmend.core.geometry import Size
from pixelmend.imaging.headers.fields import HeaderFields
from pixelmend.imaging.metadata import Metadata

if TYPE_CHECKING:
    from pixelmend.imaging.vips import Pixels
    from pixelmend.imaging.writers import ImageWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInfo(HeaderFields):
    """What the header says. `size` is as stored; `oriented_size` is what `decode` returns."""

    format: "Format"

    @classmethod
    def of(cls, image_format: "Format", header: HeaderFields) -> "ImageInfo":
        values: dict[str, Any] = {field.name: getattr(header, field.name) for field in fields(header)}
        return cls(format=image_format, **values)

    @property
    def oriented_size(self) -> Size:
        return self.size.transposed() if self.orientation >= 5 else self.size


@dataclass(frozen=True, slots=True)
class FileContents:
    """What a decoder returns.

    pixels: (H, W, C) as in `Decoded`. icc, exif, xmp: blocks as they are in the file. notes: tokens as in
    `Decoded`. text: text chunks of a PNG.
    """

    pixels: "Pixels"
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    notes: tuple[str, ...] = ()
    text: tuple[tuple[bytes, bytes], ...] = ()


def no_extras(data: bytes, info: ImageInfo) -> Iterable[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Reading:
    """How files of a format are read.

    recognise: whether a file begins like this format (its first SNIFF_BYTES bytes, or all it has).
    read_header: raises CorruptImage, UnsupportedFormat, struct.error if bytes are missing. It decodes no
    pixel and inflates nothing. decode: the upright pixels, for the file's path, its bytes, and what its
    header says. Raises CorruptImage, UnsupportedFormat, and what libraries raise for damaged files.
    find_extras: tokens for what the file has besides an image, its profile, EXIF and XMP, which a result will
    lack: "iptc", "photoshop", "comment", "extended-xmp", "xmp", "icc", "c2pa" (content credentials), "gain-
    map", "motion-video", "depth", "further-images", "pixel-aspect" (pixels that are not square, without a
    resolution), "geotiff", "app-data" (blocks of unknown kinds), "raw-profile" (metadata that ImageMagick
    hides in text). exact_header: its header says truly whether there are grey and alpha channels; others only
    permit them. code_points_first: if there are code points for the colours and a profile, the code points
    count.
    """

    recognise: Callable[[bytes], bool]
    read_header: Callable[[bytes], HeaderFields]
    decode: Callable[[Path, bytes, ImageInfo], FileContents]
    find_extras: Callable[[bytes, ImageInfo], Iterable[str]] = no_extras
    exact_header: bool = True
    code_points_first: bool = False


def no_losses(spec: "OutputSpec", metadata: Metadata) -> Iterable[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Writing:
    """How files of a format are written.

    open: a writer for a path, for rows of `source` size that arrive from top to bottom. Its metadata is
    upright. threads: for the compression of one image. Raises StorageFull. max_side_px: what the encoder
    takes. default_quality: None for a lossless format, which takes no quality. has_alpha: if not,
    transparency is flattened onto white. sixteen_bit: it keeps 16 bits exactly. grey_profile: it keeps the
    profile of a grey image; if not, the pixels are converted through it. keeps_text: text chunks.
    more_losses: tokens as in `losses`. peak_bytes_per_px: memory of an encoder that holds the whole image; 0
    for one that holds some rows of it.
    """

    open: "Callable[[Path, OutputSpec, Metadata, Size, int], ImageWriter]"
    max_side_px: int
    default_quality: int | None = None
    has_alpha: bool = True
    sixteen_bit: bool = False
    grey_profile: bool = True
    keeps_text: bool = False
    more_losses: "Callable[[OutputSpec, Metadata], Iterable[str]]" = no_losses
    peak_bytes_per_px: int = 0


@dataclass(frozen=True, slots=True)
class Format:
    """name: in forms, settings and records; it never changes. suffixes: of file names, with their dots, the
    usual one first. reading, writing: None if files of this format are not read, or not written.
    written_name: as people write it, if that is not the name in capitals.
    """

    name: str
    media_type: str
    suffixes: tuple[str, ...]
    reading: Reading | None = None
    writing: Writing | None = None
    written_name: str = ""

    @property
    def title(self) -> str:
        return self.written_name or self.name.upper()

    def __str__(self) -> str:
        return self.name

    @property
    def suffix(self) -> str:
        return self.suffixes[0]


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """A result to be written.

    format: one that is written. size: of the file. channels and bits: of the rows handed to the writer (1
    grey, 2 grey+alpha, 3 RGB, 4 RGBA; 8 or 16). quality: 1 to 100, None for the format's default.
    """

    format: Format
    size: Size
    channels: int
    bits: int
    quality: int | None = None

    @property
    def writing(self) -> Writing:
        assert self.format.writing is not None, f"{self.format} is not written"
        return self.format.writing

    @property
    def has_alpha(self) -> bool:
        return self.channels in (2, 4)

    @property
    def effective_quality(self) -> int:
        """The quality that applies; 100 for lossless formats."""
        return self.quality or self.writing.default_quality or 100

    @property
    def drops_grey_profile(self) -> bool:
        """Whether grey rows become RGB in the file, which a grey profile would not fit."""
        return self.channels <= 2 and not self.writing.grey_profile


def check_encodable(spec: OutputSpec) -> None:
    """Refuse what the encoder would refuse after the work was done.

    Raises OutputTooLarge if a side exceeds the format, InvalidParameter for a quality outside 1-100 or for a
    format that has none.
    """
    limit = spec.writing.max_side_px
    if max(spec.size.width, spec.size.height) > limit:
        raise OutputTooLarge(f"{spec.size} px exceeds the {limit} px that {spec.format} can hold on a side")
    if spec.quality is None:
        return
    if spec.writing.default_quality is None:
        raise InvalidParameter(f"quality={spec.quality} applies to lossy formats; {spec.format} is lossless")
    if not 1 <= spec.quality <= 100:
        raise InvalidParameter(f"quality={spec.quality} is outside 1..100")


def losses(spec: OutputSpec, metadata: Metadata) -> tuple[str, ...]:
    """What the file will not keep of the rows and their metadata, as short tokens.

    "alpha": flattened onto white. "16-bit": reduced to 8 (JPEG, WebP) or 12 (AVIF) bits. "icc": a grey
    profile, if the format has only RGB; the pixels are converted through it. "exif", "xmp": too big for
    JPEG's segments; EXIF also in a TIFF of 4 GB. "text": PNG's text chunks, in all other formats.
    """
    writing = spec.writing
    lost: list[str] = []
    if spec.has_alpha and not writing.has_alpha:
        lost.append("alpha")
    if spec.bits == 16 and not writing.sixteen_bit:
        lost.append("16-bit")
    if metadata.icc and spec.drops_grey_profile:
        lost.append("icc")
    lost.extend(writing.more_losses(spec, metadata))
    if metadata.text and not writing.keeps_text:
        lost.append("text")
    return tuple(lost)
