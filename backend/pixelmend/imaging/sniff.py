"""Which image format a file has, told from its first bytes alone.

The file's name and the type its sender claims are never looked at.
"""

from collections.abc import Collection
from enum import StrEnum

from pixelmend.core.errors import UnsupportedFormat

SNIFF_BYTES = 256
"""How many leading bytes `sniff_format` wants; fewer are fine if the file is shorter."""


class ImageFormat(StrEnum):
    """The formats that are accepted as input."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    AVIF = "avif"
    HEIC = "heic"
    TIFF = "tiff"
    BMP = "bmp"
    GIF = "gif"


_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"})
_TIFF_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BMP_HEADER_SIZES = frozenset({12, 16, 40, 52, 56, 64, 108, 124})

# Not accepted, but named in the refusal so that the sender knows what was seen.
_FOREIGN: tuple[tuple[bytes, str], ...] = (
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


def sniff_format(head: bytes, accepted: Collection[ImageFormat] = tuple(ImageFormat)) -> ImageFormat:
    """Name the format of a file that begins with `head` (its first `SNIFF_BYTES` bytes).

    Raises UnsupportedFormat, naming what was seen, for everything outside `accepted`.
    """
    listed = ", ".join(known for known in ImageFormat if known in accepted)
    found = _recognised(head)
    if found is None:
        raise UnsupportedFormat(f"the file is {_describe(head)}; accepted are {listed}")
    if found not in accepted:
        raise UnsupportedFormat(f"the file is {found}, which is switched off here; accepted are {listed}")
    return found


def _recognised(head: bytes) -> ImageFormat | None:
    if head.startswith(b"\xff\xd8\xff"):
        return ImageFormat.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return ImageFormat.PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ImageFormat.WEBP
    if head.startswith((b"GIF87a", b"GIF89a")):
        return ImageFormat.GIF
    if head.startswith(_TIFF_MAGICS):
        return ImageFormat.TIFF
    # "BM" alone also begins plain text, so the size of the second header has to make sense too
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADER_SIZES:
        return ImageFormat.BMP
    if head[4:8] == b"ftyp":
        return _sniff_iso_media(head)
    return None


def _sniff_iso_media(head: bytes) -> ImageFormat:
    box_length = int.from_bytes(head[:4], "big")
    brands = head[8:12], *(head[at : at + 4] for at in range(16, min(box_length, len(head)) - 3, 4))
    if brands[0] in _AVIF_BRANDS:
        return ImageFormat.AVIF
    # mif1 is the neutral brand of the container: the codec then shows in the compatible brands
    if brands[0] in _HEIF_BRANDS:
        return ImageFormat.AVIF if _AVIF_BRANDS.intersection(brands) else ImageFormat.HEIC
    if brands[0] == b"crx ":
        raise UnsupportedFormat("the file is a camera raw (Canon) file, which is not supported")
    brand = brands[0].decode("latin-1")
    raise UnsupportedFormat(f"the file is an ISO media file of brand {brand!r}, not AVIF or HEIC")


def _describe(head: bytes) -> str:
    if not head:
        return "empty"
    for magic, name in _FOREIGN:
        if head.startswith(magic):
            return f"a {name} file"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<svg", b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in text:
        return "an SVG file"
    if text.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    return f"of an unknown kind (first bytes {head[:8].hex(' ')})"
