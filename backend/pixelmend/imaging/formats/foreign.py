"""What a file is that no image format recognises, by its first bytes: for messages, and to tell films."""

import codecs
from dataclasses import dataclass

EXCERPT_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class Foreign:
    """words: "a PDF file". film_suffix: of the names that such films have, with its dot; None for no film."""

    words: str
    film_suffix: str | None = None


_FILMS: tuple[tuple[bytes, str, str], ...] = (
    (b"FLV", "FLV", ".flv"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "ASF or WMV", ".wmv"),
    (b"\0\0\1\xba", "MPEG", ".mpg"),
    (b"\0\0\1\xb3", "MPEG", ".mpg"),
    (b"\x06\x0e\x2b\x34\x02\x05\x01\x01", "MXF", ".mxf"),
    (b"nut/multimedia container", "NUT", ".nut"),
)

_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF file"),
    (b"%!PS", "a PostScript file"),
    (b"8BPS", "a Photoshop PSD file"),
    (b"PK\x03\x04", "a ZIP file"),
    (b"Rar!\x1a\x07", "a RAR file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\xff\x0a", "a JPEG XL file"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL file"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 file"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 file"),
    (b"\0\0\1\0", "a Windows icon file"),
    (b"v/1\x01", "an OpenEXR file"),
    (b"qoif", "a QOI file"),
    (b"DDS ", "a DDS file"),
    (b"IIRO", "a camera raw (Olympus) file"),
    (b"IIRS", "a camera raw (Olympus) file"),
    (b"MMOR", "a camera raw (Olympus) file"),
    (b"IIU\0", "a camera raw (Panasonic) file"),
    (b"FUJIFILMCCD-RAW", "a camera raw (Fujifilm) file"),
    (b"FOVb", "a camera raw (Sigma) file"),
    (b"\0MRM", "a camera raw (Minolta) file"),
    (b"#?RADIANCE", "a Radiance HDR file"),
    (b"\x7fELF", "an ELF program"),
    (b"MZ", "a Windows program"),
    (b"ID3", "a sound file (MP3)"),
    (b"\xff\xfb", "a sound file (MP3)"),
    (b"fLaC", "a sound file (FLAC)"),
)

_FILM_BRANDS = (
    b"isom",
    b"iso",
    b"mp4",
    b"avc1",
    b"M4V",
    b"3gp",
    b"3g2",
    b"dash",
    b"msdh",
    b"f4v",
    b"F4V",
    b"MSNV",
)
_SOUND_BRANDS = (b"M4A", b"M4B", b"F4A")
"""What the brands of films and of sounds begin with."""
_TRANSPORT_PACKET_BYTES = 188


def describe(head: bytes) -> Foreign:
    """head: the first SNIFF_BYTES of a file that is no image of a known format, or all that it has."""
    if not head:
        return Foreign("empty")
    for sign, name, suffix in _FILMS:
        if head.startswith(sign):
            return _film(name, suffix)
    for sign, words in _OTHERS:
        if head.startswith(sign):
            return Foreign(words)
    container = _container(head)
    if container is not None:
        return container
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<svg", b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in text:
        return Foreign("an SVG file")
    if text.startswith((b"<!doctype html", b"<html")):
        return Foreign("an HTML page")
    if (text_words := _text(head)) is not None:
        return Foreign(text_words)
    if _is_transport_stream(head):
        return _film("MPEG transport stream", ".ts")
    return Foreign(f"of an unknown kind (first bytes {head[:8].hex(' ')})")


def _film(name: str, suffix: str) -> Foreign:
    return Foreign(f"a film ({name})", suffix)


def _container(head: bytes) -> Foreign | None:
    """By what does not stand at the very beginning."""
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return _film("WebM", ".webm") if b"webm" in head[:64] else _film("Matroska", ".mkv")
    if head.startswith(b"OggS"):
        is_film = b"theora" in head or b"OVP80" in head
        return _film("Ogg", ".ogv") if is_film else Foreign("a sound file (Ogg)")
    if head.startswith(b"RIFF"):
        forms = {b"AVI ": _film("AVI", ".avi"), b"WAVE": Foreign("a sound file (WAV)")}
        return forms.get(head[8:12])
    if head[4:8] in (b"moov", b"mdat", b"wide"):
        return _film("QuickTime", ".mov")
    return _iso_media(head[8:12]) if head[4:8] == b"ftyp" else None


def _is_transport_stream(head: bytes) -> bool:
    """By the letter that begins each packet, so text has to be told before."""
    # Blu-ray's packets have four bytes more, before the others.
    starts = ((0, _TRANSPORT_PACKET_BYTES), (4, _TRANSPORT_PACKET_BYTES + 4))
    return any(head[at : at + 1] == head[at + packet : at + packet + 1] == b"G" for at, packet in starts)


def _iso_media(brand: bytes) -> Foreign:
    if brand == b"crx ":
        return Foreign("a camera raw (Canon) file, which is not supported")
    if brand == b"qt  ":
        return _film("QuickTime", ".mov")
    if brand.startswith(_SOUND_BRANDS):
        return Foreign("a sound file (MPEG-4)")
    if brand.startswith(_FILM_BRANDS):
        return _film("MP4", ".mp4")
    return Foreign(f"an ISO media file of brand {brand.decode('latin-1')!r}, not AVIF or HEIC")


def _text(head: bytes) -> str | None:
    """What text begins with, which is often the answer of a server that had no image; None for no text."""
    try:
        # Incremental, since the last character may be cut in two.
        text = codecs.getincrementaldecoder("utf-8")().decode(head).strip()
    except UnicodeDecodeError:
        return None
    if not text or not all(each.isprintable() or each in "\r\n\t" for each in text):
        return None
    return f"text that begins with {text.splitlines()[0][:EXCERPT_CHARACTERS]!r}"
