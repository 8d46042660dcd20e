"""PNG."""

import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelmend.core.geometry import Size
from pixelmend.imaging.formats.record import FileContents, Format, ImageInfo, OutputSpec, Reading, Writing
from pixelmend.imaging.headers import png
from pixelmend.imaging.metadata import Metadata

if TYPE_CHECKING:
    import pyvips

    from pixelmend.imaging.writers import ImageWriter

_TEXT_CHUNKS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_MAX_TEXT_BYTES = 16 << 20
_XMP_KEYWORD, _RAW_PROFILE = b"XML:com.adobe.xmp\0", b"Raw profile type "


def _recognise(head: bytes) -> bool:
    return head.startswith(b"\x89PNG\r\n\x1a\n")


def _load(name: bytes, options: dict[str, Any]) -> "pyvips.Image":
    import pyvips

    return pyvips.Image.pngload(name, unlimited=False, **options)


def _decode(path: Path, data: bytes, info: ImageInfo) -> FileContents:
    from pixelmend.imaging.loading import decode_with_vips

    found = decode_with_vips(path, data, info, _load)
    notes = found.notes
    # libpng drops a profile that does not fit the pixels without an error.
    if found.icc is None and any(name == b"iCCP" for name, _, _ in png.chunks(data)):
        notes = ("icc-unusable", *notes)
    return replace(found, notes=notes, text=tuple(_text(data)))


def _text(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Text chunks as they are in the file, without XMP, which is read elsewhere.

    If there is more than 16 MB of them, the rest is left out, and the extras name it.
    """
    room = _MAX_TEXT_BYTES
    for name, start, end in png.chunks(data):
        is_metadata = data[start : start + 32].startswith((_XMP_KEYWORD, _RAW_PROFILE))
        if name in _TEXT_CHUNKS and not is_metadata:
            room -= end - start
            if room >= 0:
                yield name, bytes(data[start:end])


def _extras(data: bytes, info: ImageInfo) -> Iterator[str]:
    text_bytes = 0
    for name, start, end in png.chunks(data):
        if name == b"caBX":
            yield "c2pa"
        elif name in _TEXT_CHUNKS and data[start : start + len(_RAW_PROFILE)] == _RAW_PROFILE:
            yield "raw-profile"
        elif name in _TEXT_CHUNKS:
            text_bytes += end - start
        elif name == b"pHYs" and end - start == 9:
            across, down, unit = struct.unpack_from(">IIB", data, start)
            # FFmpeg writes 0 for an aspect that it does not know.
            if unit == 0 and across and down and across != down:
                yield "pixel-aspect"
    if text_bytes > _MAX_TEXT_BYTES:
        yield "text"


def _open(path: Path, spec: OutputSpec, metadata: Metadata, source: Size, threads: int) -> "ImageWriter":
    from pixelmend.imaging.writers import open_png

    return open_png(path, spec, metadata, source, threads)


PNG = Format(
    "png",
    "image/png",
    (".png",),
    Reading(_recognise, png.read, _decode, _extras, code_points_first=True),
    Writing(_open, 2**31 - 1, sixteen_bit=True, keeps_text=True),
)
