"""BMP, read only."""

from pathlib import Path

from pixelmend.imaging.formats.record import FileContents, Format, ImageInfo, Reading
from pixelmend.imaging.headers import bmp

_HEADER_SIZES = frozenset({12, 16, 40, 52, 56, 64, 108, 124})


def _recognise(head: bytes) -> bool:
    # "BM" alone also begins plain text, so the size of the second header has to make sense too.
    return head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _HEADER_SIZES


def _decode(path: Path, data: bytes, info: ImageInfo) -> FileContents:
    from pixelmend.imaging.bmp import decode_bmp
    from pixelmend.imaging.upright import turned

    assert isinstance(info.details, bmp.BmpDetails)
    return turned(decode_bmp(path, data, info, info.details), info)


BMP = Format("bmp", "image/bmp", (".bmp",), Reading(_recognise, bmp.read, _decode))
