"""Editing XMP packets: numbers that have changed, and descriptions of data that a result does not have."""

import re
from collections.abc import Iterator

from pixelmend.core.geometry import Size

_NUMBER = re.compile(
    rb"(tiff:Orientation|tiff:ImageWidth|tiff:ImageLength|exif:PixelXDimension|exif:PixelYDimension)"
    rb"""(\s*=\s*["']\s*|>\s*)\d+"""
)
# Every property of these namespaces describes data that results do not have: gain maps, further images and
# videos, depth.
_GONE = (
    b"http://ns.adobe.com/hdr-gain-map/1.0/",
    b"http://ns.apple.com/HDRGainMap/1.0/",
    b"http://ns.google.com/photos/1.0/container/",
    b"http://ns.google.com/photos/1.0/container/item/",
    b"http://ns.google.com/photos/1.0/depthmap/",
    b"http://ns.google.com/photos/1.0/image/",
)
# Single properties of namespaces whose other properties are kept.
_GONE_PROPERTIES = {
    b"http://ns.google.com/photos/1.0/camera/": rb"(?:MotionPhoto|MicroVideo)\w*",
    b"http://ns.adobe.com/xmp/note/": rb"HasExtendedXMP",
}
# Namespaces and properties that say what else a file holds, as tokens of `Reading.find_extras`.
_EXTRAS = {
    b"http://ns.adobe.com/hdr-gain-map/1.0/": "gain-map",
    b"http://ns.apple.com/HDRGainMap/1.0/": "gain-map",
    b"MotionPhoto": "motion-video",
    b"MicroVideo": "motion-video",
    b"http://ns.google.com/photos/1.0/depthmap/": "depth",
}


def extras(packet: bytes) -> tuple[str, ...]:
    """What the packet says that the file holds besides its image."""
    return tuple(dict.fromkeys(token for sign, token in _EXTRAS.items() if sign in packet))


def upright(packet: bytes, size: Size) -> bytes:
    """The packet for an image of `size` px whose orientation has been applied."""
    numbers = {
        b"tiff:Orientation": 1,
        b"tiff:ImageWidth": size.width,
        b"tiff:ImageLength": size.height,
        b"exif:PixelXDimension": size.width,
        b"exif:PixelYDimension": size.height,
    }
    return _NUMBER.sub(lambda found: found[1] + found[2] + b"%d" % numbers[found[1]], packet)


def without_missing_data(packet: bytes) -> bytes:
    """The packet (UTF-8) without properties that speak of data which is not in a result."""
    for namespace in _GONE:
        for prefix in _prefixes(packet, namespace):
            packet = _without_properties(packet, prefix, rb"\w+")
            packet = re.sub(rb"\s+xmlns:%b\s*=\s*([\"'])[^\"']*\1" % re.escape(prefix), b"", packet)
    for namespace, names in _GONE_PROPERTIES.items():
        for prefix in _prefixes(packet, namespace):
            packet = _without_properties(packet, prefix, names)
    return packet


def _prefixes(packet: bytes, namespace: bytes) -> set[bytes]:
    declared = re.finditer(rb"xmlns:([\w.-]+)\s*=\s*[\"']%b[\"']" % re.escape(namespace), packet)
    return {found[1] for found in declared}


def _without_properties(packet: bytes, prefix: bytes, names: bytes) -> bytes:
    name = re.escape(prefix) + b":" + names
    packet = re.sub(rb"\s+%b\s*=\s*(?:\"[^\"]*\"|'[^']*')" % name, b"", packet)
    return b"".join(_kept(packet, re.compile(rb"<(%b)(?=[\s/>])[^>]*>" % name)))


def _kept(packet: bytes, start: re.Pattern[bytes]) -> Iterator[bytes]:
    """What is outside the elements that begin with `start`; one without an end is left as it is."""
    position = 0
    while (found := start.search(packet, position)) is not None:
        end = found.end()
        if not found[0].endswith(b"/>"):
            closing = packet.find(b"</" + found[1], end)
            end = packet.find(b">", closing) + 1 if closing >= 0 else 0
            if not end:
                break
        yield packet[position : found.start()]
        position = end
    yield packet[position:]
