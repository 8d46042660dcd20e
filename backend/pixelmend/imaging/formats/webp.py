"""WebP."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelmend.core.geometry import Size
from pixelmend.imaging.formats.record import FileContents, Format, ImageInfo, OutputSpec, Reading, Writing
from pixelmend.imaging.headers import webp
from pixelmend.imaging.metadata import Metadata

if TYPE_CHECKING:
    import pyvips

    from pixelmend.imaging.writers import ImageWriter

_CHUNKS = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP", b"EXIF", b"XMP "})


def _recognise(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def _load(name: bytes, options: dict[str, Any]) -> "pyvips.Image":
    import pyvips

    return pyvips.Image.webpload(name, page=0, n=1, **options)


def _decode(path: Path, data: bytes, info: ImageInfo) -> FileContents:
    from pixelmend.imaging.loading import decode_with_vips

    return decode_with_vips(path, data, info, _load)


def _extras(data: bytes, info: ImageInfo) -> Iterator[str]:
    for name, _, _ in webp.chunks(data):
        if name == b"C2PA":
            yield "c2pa"
        elif name not in _CHUNKS:
            yield "app-data"


def _open(path: Path, spec: OutputSpec, metadata: Metadata, source: Size, threads: int) -> "ImageWriter":
    from pixelmend.imaging.encode import encode_webp
    from pixelmend.imaging.writers import stream_to_file

    return stream_to_file(path, spec, metadata, source, encode_webp)


WEBP = Format(
    "webp",
    "image/webp",
    (".webp",),
    Reading(_recognise, webp.read, _decode, _extras, exact_header=False),
    Writing(_open, 16_383, default_quality=88, grey_profile=False, peak_bytes_per_px=8),
    written_name="WebP",
)
