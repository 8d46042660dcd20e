"""JPEG."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelmend.core.geometry import Size
from pixelmend.imaging.containers import fits_in_segment
from pixelmend.imaging.formats.record import FileContents, Format, ImageInfo, OutputSpec, Reading, Writing
from pixelmend.imaging.headers import jpeg
from pixelmend.imaging.metadata import Metadata

if TYPE_CHECKING:
    import pyvips

    from pixelmend.imaging.writers import ImageWriter

_COMMENT, _APP0, _APP13, _APP15 = 0xFE, 0xE0, 0xED, 0xEF
_SIGN_BYTES = 4096
_KNOWN_APP = {
    0xE0: (b"JFIF\0", b"JFXX\0"),
    0xE1: (b"Exif\0", b"http://ns.adobe.com/xap/1.0/\0"),
    0xE2: (b"ICC_PROFILE\0",),
    0xEC: (b"Ducky",),
    0xEE: (b"Adobe",),
}
_NAMED_APP = {
    (0xE1, b"http://ns.adobe.com/xmp/extension/\0"): "extended-xmp",
    (0xE2, b"MPF\0"): "further-images",
    (0xE2, b"urn:iso:std:iso:ts:21496:-1\0"): "gain-map",
    (0xEB, b"JP"): "c2pa",
}
_MOTION_TRAILER = b"MotionPhoto_Data"


def _recognise(head: bytes) -> bool:
    return head.startswith(b"\xff\xd8\xff")


def _load(name: bytes, options: dict[str, Any]) -> "pyvips.Image":
    import pyvips

    return pyvips.Image.jpegload(name, autorotate=False, unlimited=False, **options)


def _decode(path: Path, data: bytes, info: ImageInfo) -> FileContents:
    from pixelmend.imaging.loading import decode_with_vips

    return decode_with_vips(path, data, info, _load)


def _extras(data: bytes, info: ImageInfo) -> Iterator[str]:
    if data.rfind(_MOTION_TRAILER) >= 0:
        yield "motion-video"
    for marker, start, end in jpeg.segments(data):
        body = data[start : min(end, start + _SIGN_BYTES)]
        if marker == _COMMENT:
            yield "comment"
        elif marker == _APP13 and body.startswith(b"Photoshop 3.0\0"):
            yield "iptc" if b"8BIM\x04\x04" in data[start:end] else "photoshop"
        elif marker == _APP0 and body.startswith(b"JFIF\0") and len(body) >= 12:
            unit, across, down = struct.unpack_from(">BHH", body, 7)
            if unit == 0 and across and down and across != down:
                yield "pixel-aspect"
        elif _APP0 <= marker <= _APP15 and not body.startswith(_KNOWN_APP.get(marker, ())):
            named = (
                token for (app, sign), token in _NAMED_APP.items() if app == marker and body.startswith(sign)
            )
            yield next(named, "app-data")


def _more_losses(spec: OutputSpec, metadata: Metadata) -> Iterator[str]:
    if metadata.exif and not fits_in_segment(metadata.exif):
        yield "exif"
    if metadata.xmp and not fits_in_segment(metadata.xmp):
        yield "xmp"


def _open(path: Path, spec: OutputSpec, metadata: Metadata, source: Size, threads: int) -> "ImageWriter":
    from pixelmend.imaging.encode import encode_jpeg
    from pixelmend.imaging.writers import stream_to_file

    return stream_to_file(path, spec, metadata, source, encode_jpeg)


JPEG = Format(
    "jpeg",
    "image/jpeg",
    (".jpg", ".jpeg"),
    Reading(_recognise, jpeg.read, _decode, _extras),
    # libjpeg takes 65500 px; the format itself could hold a few more.
    Writing(_open, 65_500, default_quality=92, has_alpha=False, more_losses=_more_losses),
)
