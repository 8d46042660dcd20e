"""Showing the tiles of a TIFF to libvips as the strips of another one.

libvips gives a blank tile for one that cannot be decoded, and no error, but it does report a damaged strip. A
tile's bytes are those of a strip that is as wide as the tile. So a new directory behind the file's bytes
describes a narrow, high image whose strips are the tiles, and its rows are copied to their places.
"""

import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyvips

from pixelmend.core.errors import CorruptImage
from pixelmend.core.geometry import Size
from pixelmend.imaging.vips import Pixels

_WIDTH, _LENGTH, _STRIP_OFFSETS, _STRIP_ROWS, _STRIP_BYTES = 256, 257, 273, 278, 279
_TILE_WIDTH, _TILE_LENGTH, _TILE_OFFSETS, _TILE_BYTES, _SUB_DIRECTORIES = 322, 323, 324, 325, 330
_SHORT, _LONG, _LONG8 = 3, 4, 16


@dataclass(frozen=True, slots=True)
class TileGrid:
    """size: of the image. tile: of each tile; those at the right and at the bottom reach beyond it."""

    size: Size
    tile: Size

    @property
    def across(self) -> int:
        return -(-self.size.width // self.tile.width)

    @property
    def tiles(self) -> int:
        return self.across * -(-self.size.height // self.tile.height)


class TilesAsStrips:
    """A TIFF file in memory, `data`, as a source that libvips reads."""

    def __init__(self, data: bytes) -> None:
        """data: a TIFF of any form, with tiles in its first directory. Raises CorruptImage, struct.error."""
        self._data = data
        self._order = "<" if data[:2] == b"II" else ">"
        self._big = data[2:4] in (b"+\0", b"\0+")
        entries = self._entries()
        tile = Size(self._value(entries, _TILE_WIDTH), self._value(entries, _TILE_LENGTH))
        size = Size(self._value(entries, _WIDTH), self._value(entries, _LENGTH))
        if not (0 < tile.width <= 1 << 16 and 0 < tile.height <= 1 << 16):
            raise CorruptImage(f"the TIFF claims tiles of {tile} px")
        self.grid = TileGrid(size, tile)
        self._end = len(data) + len(data) % 2
        pointer = struct.pack(self._order + ("Q" if self._big else "I"), self._end)
        start = 8 if self._big else 4
        self._head = bytes(data[:start]) + pointer
        self._directory = bytes(len(data) % 2) + self._strip_directory(entries)
        self._position = 0

    def image(self) -> pyvips.Image:
        """The tiles one below the other, lazily; the source has to live as long. Raises pyvips.Error."""
        self._source = pyvips.SourceCustom()
        self._source.on_read(self._read)
        self._source.on_seek(self._seek)
        return pyvips.Image.tiffload_source(
            self._source, access="sequential", fail_on="error", autorotate=False, unlimited=False
        )

    def _entries(self) -> dict[int, bytes]:
        """The raw entries of the first directory by tag."""
        count_code, step = ("Q", 20) if self._big else ("H", 12)
        at: int = struct.unpack_from(
            self._order + ("Q" if self._big else "I"), self._data, 8 if self._big else 4
        )[0]
        count: int = struct.unpack_from(self._order + count_code, self._data, at)[0]
        first = at + struct.calcsize(count_code)
        raw = self._data[first : first + count * step]
        entries = [raw[place : place + step] for place in range(0, len(raw), step)]
        return {struct.unpack_from(self._order + "H", entry)[0]: bytes(entry) for entry in entries}

    def _value(self, entries: dict[int, bytes], tag: int) -> int:
        if tag not in entries:
            raise CorruptImage(f"the TIFF has tiles but no tag {tag}")
        kind = struct.unpack_from(self._order + "H", entries[tag], 2)[0]
        code = {_SHORT: "H", _LONG: "I", _LONG8: "Q"}.get(kind)
        if code is None:
            raise CorruptImage(f"the TIFF's tag {tag} is of type {kind}")
        value: int = struct.unpack_from(self._order + code, entries[tag], 12 if self._big else 8)[0]
        return value

    def _strip_directory(self, entries: dict[int, bytes]) -> bytes:
        """The same directory with strips in place of tiles, and no page behind it."""
        changed = {_TILE_WIDTH, _TILE_LENGTH, _TILE_OFFSETS, _TILE_BYTES, _SUB_DIRECTORIES}
        kept = {tag: entry for tag, entry in entries.items() if tag not in changed}
        for tag, source in ((_STRIP_OFFSETS, _TILE_OFFSETS), (_STRIP_BYTES, _TILE_BYTES)):
            if source not in entries:
                raise CorruptImage(f"the TIFF has tiles but no tag {source}")
            kept[tag] = struct.pack(self._order + "H", tag) + entries[source][2:]
        kept[_WIDTH] = self._entry(_WIDTH, self.grid.tile.width)
        kept[_LENGTH] = self._entry(_LENGTH, self.grid.tile.height * self.grid.tiles)
        kept[_STRIP_ROWS] = self._entry(_STRIP_ROWS, self.grid.tile.height)
        number = "Q" if self._big else "H"
        end = bytes(8 if self._big else 4)
        return (
            struct.pack(self._order + number, len(kept)) + b"".join(kept[tag] for tag in sorted(kept)) + end
        )

    def _entry(self, tag: int, value: int) -> bytes:
        form = "HHQI4x" if self._big else "HHII"
        return struct.pack(self._order + form, tag, _LONG, 1, value)

    # --- libvips' side: the callbacks of a custom source ----------------------------------------------

    def _read(self, size: int) -> bytes:
        data = b"".join(self._parts(self._position, self._position + size))
        self._position += len(data)
        return data

    def _parts(self, start: int, end: int) -> Iterator[bytes]:
        head, file = len(self._head), len(self._data)
        if start < head:
            yield self._head[start : min(end, head)]
        if end > head and start < file:
            yield bytes(self._data[max(start, head) : min(end, file)])
        if end > file:
            yield self._directory[max(start - file, 0) : end - file]

    def _seek(self, offset: int, whence: int) -> int:
        total = len(self._data) + len(self._directory)
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: total}[whence]
        self._position = start + offset
        return self._position


def lay_tiles(bands: Iterable[Pixels], grid: TileGrid, stored: Pixels) -> None:
    """Copy the rows of the tiles, which come one below the other, into the image `stored` (H, W, C)."""
    row = 0
    for band in bands:
        taken = 0
        while taken < len(band):
            index, within = divmod(row, grid.tile.height)
            rows = min(grid.tile.height - within, len(band) - taken)
            top = index // grid.across * grid.tile.height + within
            left = index % grid.across * grid.tile.width
            place = stored[top : top + rows, left : left + grid.tile.width]
            place[:] = band[taken : taken + len(place), : place.shape[1]]
            taken += rows
            row += rows
