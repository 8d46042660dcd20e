"""What a file is that is refused: named, so that its sender knows what was seen."""

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
            return f"a {name} file"
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
