"""The head of an uncompressed TIFF, for showing rows to libvips as a file that is still being written.

TIFF is what serves among the formats whose loaders libvips trusts (it does not trust its raw and netpbm
ones): it holds every kind of rows we have as they are in memory, and is read strictly forwards.
"""

import struct

import numpy as np
from numpy.typing import NDArray

from pixelmend.core.geometry import Size

# libvips asks for a strip at a time and keeps a few: large enough for few calls, small enough to be kept.
_STRIP_ROWS = 16
_STRIP_BYTES = 1 << 20

_FILE_HEAD = struct.pack("<2sHHHQ", b"II", 43, 8, 0, 16)
_ENTRY_BYTES, _COUNT_BYTES, _LINK_BYTES = 20, 8, 8
_SHORT, _LONG, _LONG8 = 3, 4, 16
_WIDTHS = {_SHORT: "<u2", _LONG: "<u4", _LONG8: "<u8"}
_GREY, _RGB = 1, 2
_STRAIGHT_ALPHA = 2


def head(size: Size, channels: int, bits: int) -> bytes:
    """What precedes the rows, which follow as they are: interleaved, little-endian, without padding.

    channels: 1 grey, 2 grey+alpha, 3 RGB, 4 RGBA (alpha straight). bits: 8 or 16.
    """
    row_bytes = size.width * channels * bits // 8
    strip_rows = min(size.height, _STRIP_ROWS, max(1, _STRIP_BYTES // row_bytes))
    strips = -(-size.height // strip_rows)
    lengths = np.full(strips, strip_rows * row_bytes, np.uint64)
    lengths[-1] = (size.height - (strips - 1) * strip_rows) * row_bytes
    fields: list[tuple[int, int, NDArray[np.uint64]]] = [
        (256, _LONG, _values(size.width)),
        (257, _LONG, _values(size.height)),
        (258, _SHORT, _values(*[bits] * channels)),
        (259, _SHORT, _values(1)),  # no compression
        (262, _SHORT, _values(_RGB if channels >= 3 else _GREY)),
        (273, _LONG8, np.arange(strips, dtype=np.uint64) * lengths[0]),  # moved to behind the head below
        (277, _SHORT, _values(channels)),
        (278, _LONG, _values(strip_rows)),
        (279, _LONG8, lengths),
    ]
    if channels in (2, 4):
        fields.append((338, _SHORT, _values(_STRAIGHT_ALPHA)))
    area = len(_FILE_HEAD) + _COUNT_BYTES + _ENTRY_BYTES * len(fields) + _LINK_BYTES
    fields[5][2][:] += np.uint64(area + (2 * 8 * strips if strips > 1 else 0))
    return _FILE_HEAD + _directory(fields, area)


def _values(*values: int) -> NDArray[np.uint64]:
    return np.array(values, np.uint64)


def _directory(fields: list[tuple[int, int, NDArray[np.uint64]]], area: int) -> bytes:
    """The file's only directory, and behind it, at offset `area`, the values too long for their entry."""
    entries, behind = b"", b""
    for tag, kind, values in fields:
        data = values.astype(_WIDTHS[kind]).tobytes()
        entries += struct.pack("<HHQ", tag, kind, len(values))
        if len(data) <= 8:
            entries += data.ljust(8, b"\0")
        else:
            entries += struct.pack("<Q", area + len(behind))
            behind += data
    return struct.pack("<Q", len(fields)) + entries + bytes(_LINK_BYTES) + behind
