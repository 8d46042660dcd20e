"""GIF, read only."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelmend.imaging.formats.record import FileContents, Format, ImageInfo, Reading
from pixelmend.imaging.headers import gif

if TYPE_CHECKING:
    import pyvips

_APPLICATIONS = {b"XMP DataXMP": "xmp", b"ICCRGBG1012": "icc", b"C2PA_GIF\1\0\0": "c2pa"}


def _recognise(head: bytes) -> bool:
    return head.startswith((b"GIF87a", b"GIF89a"))


def _load(name: bytes, options: dict[str, Any]) -> "pyvips.Image":
    import pyvips

    return pyvips.Image.gifload(name, page=0, n=1, **options)


def _decode(path: Path, data: bytes, info: ImageInfo) -> FileContents:
    from pixelmend.imaging.loading import decode_with_vips

    return decode_with_vips(path, data, info, _load)


def _extras(data: bytes, info: ImageInfo) -> Iterator[str]:
    """Looks at the screen, and at the extensions in front of the first frame, which usually are all."""
    if data[12] not in (0, gif.SQUARE_PIXELS):
        yield "pixel-aspect"
    for kind, position in gif.blocks(data):
        if kind == gif.IMAGE:
            return
        label = data[position + 1]
        if label == gif.COMMENT:
            yield "comment"
        elif label == gif.APPLICATION:
            token = _APPLICATIONS.get(bytes(data[position + 3 : position + 14]))
            if token:
                yield token


GIF = Format(
    "gif", "image/gif", (".gif",), Reading(_recognise, gif.read, _decode, _extras, exact_header=False)
)
