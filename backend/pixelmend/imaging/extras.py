"""What an image file holds besides a picture, its profile, EXIF and XMP: not kept, and therefore named.

The tokens: "iptc" and "photoshop" (Photoshop's resources), "comment", "extended-xmp", "xmp" and "icc" (in
GIF, where they are not read), "c2pa" (content credentials), "gain-map", "motion-video", "depth",
"further-images", "pixel-aspect" (pixels that are not square, without a resolution), "geotiff", "app-data"
(blocks of unknown kinds), "raw-profile" (metadata that ImageMagick hides in PNG's text).
"""

import re
import struct
from collections.abc import Iterator

from pixelmend.imaging.headers import heif, tiff
from pixelmend.imaging.headers.fields import MAX_SEGMENTS
from pixelmend.imaging.headers.png import chunks
from pixelmend.imaging.sniff import ImageFormat

PngText = tuple[tuple[bytes, bytes], ...]
"""Name and body of text chunks, as they are in the file."""

_TEXT_CHUNKS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_MAX_TEXT_BYTES = 16 << 20
_XMP_KEYWORD, _RAW_PROFILE = b"XML:com.adobe.xmp\0", b"Raw profile type "
_MARKER = re.compile(rb"\xff[^\x00\xff]", re.DOTALL)
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
_XMP_SIGNS = {
    b"http://ns.adobe.com/hdr-gain-map/1.0/": "gain-map",
    b"http://ns.apple.com/HDRGainMap/1.0/": "gain-map",
    b"MotionPhoto": "motion-video",
    b"MicroVideo": "motion-video",
    b"http://ns.google.com/photos/1.0/depthmap/": "depth",
}
_MOTION_TRAILER = b"MotionPhoto_Data"
_GIF_APPLICATIONS = {b"XMP DataXMP": "xmp", b"ICCRGBG1012": "icc", b"C2PA_GIF\1\0\0": "c2pa"}
_WEBP_CHUNKS = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP", b"EXIF", b"XMP "})


def find_extras(image_format: ImageFormat, data: bytes) -> tuple[str, ...]:
    """Tokens for what the file `data`, whose header has been read before, holds besides; each once."""
    found: Iterator[str]
    match image_format:
        case ImageFormat.JPEG:
            found = _in_jpeg(data)
        case ImageFormat.PNG:
            found = _in_png(data)
        case ImageFormat.WEBP:
            found = _in_webp(data)
        case ImageFormat.GIF:
            found = _in_gif(data)
        case ImageFormat.TIFF:
            found = iter(tiff.read_tiff(data).extras)
        case ImageFormat.AVIF | ImageFormat.HEIC:
            found = iter(heif.read_heif(data).extras)
        case ImageFormat.BMP:
            found = iter(())
    return tuple(dict.fromkeys(found))


def signs_in_xmp(packet: bytes) -> tuple[str, ...]:
    """What the XMP packet says that the file holds besides."""
    return tuple(dict.fromkeys(token for sign, token in _XMP_SIGNS.items() if sign in packet))


def png_text(data: bytes) -> PngText:
    """The text chunks of the PNG `data`, compressed ones as they are; without XMP, which is read elsewhere.

    Above 16 MB in all the rest is left out, and `find_extras` names it.
    """
    return tuple(_text_chunks(data))


def _text_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    room = _MAX_TEXT_BYTES
    for name, start, end in chunks(data):
        if name in _TEXT_CHUNKS and not _is_metadata(data, start):
            room -= end - start
            if room >= 0:
                yield name, bytes(data[start:end])


def _is_metadata(data: bytes, start: int) -> bool:
    return data[start : start + 32].startswith((_XMP_KEYWORD, _RAW_PROFILE))


def _in_png(data: bytes) -> Iterator[str]:
    text_bytes = 0
    for name, start, end in chunks(data):
        if name == b"caBX":
            yield "c2pa"
        elif name in _TEXT_CHUNKS and data[start : start + len(_RAW_PROFILE)] == _RAW_PROFILE:
            yield "raw-profile"
        elif name in _TEXT_CHUNKS:
            text_bytes += end - start
        elif name == b"pHYs" and end - start == 9:
            across, down, unit = struct.unpack_from(">IIB", data, start)
            if unit == 0 and across != down:
                yield "pixel-aspect"
    if text_bytes > _MAX_TEXT_BYTES:
        yield "text"


def _in_jpeg(data: bytes) -> Iterator[str]:
    if data.rfind(_MOTION_TRAILER) >= 0:
        yield "motion-video"
    position = 2
    for _ in range(MAX_SEGMENTS):
        marker = _MARKER.search(data, position)
        if marker is None:
            return
        kind, position = data[marker.end() - 1], marker.end()
        if kind in (0xDA, 0xD9):
            return
        if kind == 0x01 or 0xD0 <= kind <= 0xD8 or position + 2 > len(data):
            continue
        length: int = struct.unpack_from(">H", data, position)[0]
        body = data[position + 2 : position + min(length, 4096)]
        if kind == 0xFE:
            yield "comment"
        elif kind == 0xED and body.startswith(b"Photoshop 3.0\0"):
            whole = data[position + 2 : position + length]
            yield "iptc" if b"8BIM\x04\x04" in whole else "photoshop"
        elif kind == 0xE0 and body.startswith(b"JFIF\0") and len(body) >= 12:
            unit, across, down = struct.unpack_from(">BHH", body, 7)
            if unit == 0 and across and down and across != down:
                yield "pixel-aspect"
        elif 0xE0 <= kind <= 0xEF and not body.startswith(_KNOWN_APP.get(kind, ())):
            yield _app_token(kind, body)
        position += length


def _app_token(kind: int, body: bytes) -> str:
    named = (name for (app, sign), name in _NAMED_APP.items() if app == kind and body.startswith(sign))
    return next(named, "app-data")


def _in_webp(data: bytes) -> Iterator[str]:
    position = 12
    for _ in range(MAX_SEGMENTS):
        if position + 8 > len(data):
            return
        name, length = struct.unpack_from("<4sI", data, position)
        if name == b"C2PA":
            yield "c2pa"
        elif name not in _WEBP_CHUNKS:
            yield "app-data"
        position += 8 + length + (length & 1)


def _in_gif(data: bytes) -> Iterator[str]:
    """Looks at the extensions in front of the first frame, which usually are all."""
    flags = data[10]
    position = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    for _ in range(MAX_SEGMENTS):
        if position + 3 > len(data) or data[position] != 0x21:
            return
        label = data[position + 1]
        if label == 0xFE:
            yield "comment"
        elif label == 0xFF:
            token = _GIF_APPLICATIONS.get(bytes(data[position + 3 : position + 14]))
            if token:
                yield token
        position += 2
        while position < len(data) and data[position]:
            position += 1 + data[position]
        position += 1
