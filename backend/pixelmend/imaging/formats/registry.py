"""The formats of a service, by their names, file names and first bytes."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pixelmend.core.errors import InvalidParameter, UnsupportedFormat
from pixelmend.imaging.formats.bmp import BMP
from pixelmend.imaging.formats.gif import GIF
from pixelmend.imaging.formats.heif import AVIF, HEIC
from pixelmend.imaging.formats.jpeg import JPEG
from pixelmend.imaging.formats.png import PNG
from pixelmend.imaging.formats.record import Format
from pixelmend.imaging.formats.tiff import TIFF
from pixelmend.imaging.formats.webp import WEBP

SNIFF_BYTES = 256
"""How many leading bytes `recognise` wants; fewer are fine if the file is shorter."""


@dataclass(frozen=True, slots=True)
class FormatRegistry:
    """formats: in the order in which they are shown. The first one that is written is the default."""

    formats: tuple[Format, ...]

    @property
    def inputs(self) -> tuple[Format, ...]:
        return tuple(each for each in self.formats if each.reading is not None)

    @property
    def outputs(self) -> tuple[Format, ...]:
        return tuple(each for each in self.formats if each.writing is not None)

    def output(self, name: str) -> Format:
        """Raises InvalidParameter naming the formats there are."""
        return format_named(name, self.outputs)

    def output_of_suffix(self, suffix: str) -> Format | None:
        """suffix: of a file name, with its dot, in any case."""
        return next((each for each in self.outputs if suffix.lower() in each.suffixes), None)

    def recognise(self, head: bytes, accepted: Collection[str] | None = None) -> Format:
        """The format of a file by its first bytes. Its name, and the type its sender claims, do not matter.

        head: the first SNIFF_BYTES bytes. accepted: names; None for all. Raises UnsupportedFormat, naming
        what was seen, for everything else.
        """
        inputs = self.inputs
        accepted = tuple(each.name for each in inputs) if accepted is None else accepted
        listed = ", ".join(accepted)
        found = next((each for each in inputs if each.reading and each.reading.recognise(head)), None)
        if found is None:
            raise UnsupportedFormat(f"the file is {describe(head)}; accepted are {listed}")
        if found.name not in accepted:
            raise UnsupportedFormat(f"the file is {found}, which is switched off here; accepted are {listed}")
        return found


def format_named(name: str, formats: tuple[Format, ...]) -> Format:
    """Raises InvalidParameter naming the formats there are."""
    found = next((each for each in formats if each.name == name), None)
    if found is None:
        known = ", ".join(map(str, formats))
        raise InvalidParameter(f"format={name[:64]!r} is not known; there are: {known}")
    return found


def format_registry(more: Iterable[Format] = ()) -> FormatRegistry:
    """The formats that come with the package, and `more`. A name that is taken raises ValueError."""
    formats = (PNG, JPEG, WEBP, AVIF, TIFF, HEIC, BMP, GIF, *more)
    names = [each.name for each in formats]
    if len(set(names)) < len(names):
        raise ValueError(f"two formats have one name: {', '.join(names)}")
    return FormatRegistry(formats)


_SIGNS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "PDF"),
    (b"%!PS", "PostScript"),
    (b"8BPS", "Photoshop PSD"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x1f\x8b", "gzip"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\1\0", "Windows icon"),
    (b"v/1\x01", "OpenEXR"),
    (b"qoif", "QOI"),
    (b"DDS ", "DDS"),
    (b"IIRO", "camera raw (Olympus)"),
    (b"IIRS", "camera raw (Olympus)"),
    (b"MMOR", "camera raw (Olympus)"),
    (b"IIU\0", "camera raw (Panasonic)"),
    (b"FUJIFILMCCD-RAW", "camera raw (Fujifilm)"),
    (b"FOVb", "camera raw (Sigma)"),
    (b"\0MRM", "camera raw (Minolta)"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"\x7fELF", "ELF program"),
    (b"MZ", "Windows program"),
)


def describe(head: bytes) -> str:
    """What begins with `head`, which no format recognises: "a PDF file"."""
    if not head:
        return "empty"
    for sign, name in _SIGNS:
        if head.startswith(sign):
            return f"{'an' if name[0] in 'EO' else 'a'} {name} file"
    if head[4:8] == b"ftyp":
        return _iso_media(head[8:12])
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<svg", b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in text:
        return "an SVG file"
    if text.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    return f"of an unknown kind (first bytes {head[:8].hex(' ')})"


def _iso_media(brand: bytes) -> str:
    if brand == b"crx ":
        return "a camera raw (Canon) file, which is not supported"
    return f"an ISO media file of brand {brand.decode('latin-1')!r}, not AVIF or HEIC"
