"""A PNG writer that takes rows as they come and compresses them in parallel, in bounded memory.

Rows are cut into bands of about 1 MB. Each band is filtered and deflated on its own (ISA-L, with the
interpreter lock released) and closed with a sync flush, so that the bands laid end to end are one
valid zlib stream; its checksum is combined from the bands' own. docs/adr/0003-png-writer.md has the
measurements behind the choices.
"""

import struct
import zlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from pixelmend.core.geometry import Size
from pixelmend.imaging import png_filters
from pixelmend.imaging.metadata import Metadata
from pixelmend.imaging.storage import storage_errors
from pixelmend.imaging.vips import require_fitting

MAX_SIDE = 2**31 - 1
BAND_BYTES = 1 << 20

_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_ZLIB_HEADER = b"\x78\x01"
# An empty final block: every real block belongs to a band, and no band knows whether it is the last.
_ZLIB_END = b"\x03\x00"
_ADLER_BASE = 65_521
# Bands that shrink more than this are flat: text, drawings, gradients. There ISA-L makes up to three times
# the bytes that zlib does, and zlib, which skips long matches quickly, takes hardly longer than ISA-L takes
# for a photograph.
_FLAT_RATIO = 25


@dataclass(frozen=True, slots=True)
class _Band:
    """A compressed band. adler and raw_bytes describe the filtered data before compression."""

    deflated: bytes
    crc: int
    adler: int
    raw_bytes: int


class PngWriter:
    """Writes one PNG file: `write_rows` until all rows are there, then `finish`.

    The file appears at `path` when `finish` returns and not before. As a context manager it aborts on
    leaving without `finish`. Not thread-safe; it has `threads` threads of its own.
    """

    def __init__(
        self,
        path: Path,
        size: Size,
        channels: int,
        bits: int,
        metadata: Metadata,
        *,
        threads: int,
        level: int = 1,
        band_bytes: int = BAND_BYTES,
    ) -> None:
        """channels: 1 grey, 2 grey+alpha, 3 RGB, 4 RGBA. bits: 8 or 16. level: ISA-L's, 0 to 3.

        Raises ValueError on anything else, StorageFull.
        """
        if channels not in _COLOUR_TYPES or bits not in (8, 16) or max(size.width, size.height) > MAX_SIDE:
            raise ValueError(f"PNG cannot hold {size} px with {channels} channels of {bits} bits")
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._size = size
        self._channels = channels
        self._dtype = np.dtype(np.uint8) if bits == 8 else np.dtype(np.uint16)
        self._level = level
        self._row_bytes = size.width * channels * bits // 8
        self._pixel_bytes = channels * bits // 8
        self._band_rows = max(1, min(size.height, band_bytes // self._row_bytes))
        self._threads = max(1, threads)
        self._pending: deque[Future[_Band]] = deque()
        self._rows = 0
        self._adler = 1
        self._open = True
        # Row 0 is the row above the band, which the filters look at: zeros above the image itself.
        self._band: NDArray[np.uint8] = np.zeros((self._band_rows + 1, self._row_bytes), np.uint8)
        self._filled = 0
        with storage_errors(self._part):
            self._file: BinaryIO = self._part.open("wb")
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="png")
        try:
            with storage_errors(self._part):
                self._file.write(b"\x89PNG\r\n\x1a\n")
                header = struct.pack(">IIBB3x", size.width, size.height, bits, _COLOUR_TYPES[channels])
                self._write_chunk(b"IHDR", header)
                for name, body in _metadata_chunks(metadata):
                    self._write_chunk(name, body)
                self._write_chunk(b"IDAT", _ZLIB_HEADER)
        except BaseException:
            self.abort()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()

    def write_rows(self, rows: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
        """Append rows: (h, W, C) of the bit depth's dtype; they are copied. Blocks while the bands in
        flight are at their limit.

        Raises ValueError on a wrong shape, dtype or too many rows, StorageFull.
        """
        self._require_open()
        require_fitting(rows, self._size, self._channels, self._dtype, self._rows)
        done = 0
        while done < len(rows):
            take = min(self._band_rows - self._filled, len(rows) - done)
            self._copy_in(rows[done : done + take])
            done += take
            if self._filled == self._band_rows or self._rows == self._size.height:
                self._submit()

    def finish(self) -> None:
        """Complete the file and move it to its place.

        Raises ValueError if rows are missing (the file is then aborted), StorageFull.
        """
        self._require_open()
        try:
            if self._rows != self._size.height:
                raise ValueError(f"{self._rows} rows were written, the height is {self._size.height}")
            while self._pending:
                self._write_oldest()
            with storage_errors(self._part):
                self._write_chunk(b"IDAT", _ZLIB_END + struct.pack(">I", self._adler))
                self._write_chunk(b"IEND", b"")
                self._file.close()
                self._part.replace(self._path)
        except BaseException:
            self.abort()
            raise
        self._open = False
        self._pool.shutdown()

    def abort(self) -> None:
        """Remove what was written. Does nothing after `finish` or a second time."""
        if not self._open:
            return
        self._open = False
        self._pool.shutdown(cancel_futures=True)
        self._pending.clear()
        try:
            self._file.close()
        except OSError:
            pass  # flushing to a full disk fails once more; the file is removed anyway
        finally:
            self._part.unlink(missing_ok=True)

    def _require_open(self) -> None:
        if not self._open:
            raise ValueError("the PNG writer is already finished or aborted")

    def _copy_in(self, rows: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
        target = self._band[1 + self._filled : 1 + self._filled + len(rows)]
        if rows.dtype == np.uint8:
            target[...] = rows.reshape(len(rows), -1)
        else:
            target.view(">u2")[...] = rows.reshape(len(rows), -1)
        self._filled += len(rows)
        self._rows += len(rows)

    def _submit(self) -> None:
        band, self._band = self._band[: self._filled + 1], np.empty_like(self._band)
        self._band[0] = band[-1]
        self._filled = 0
        self._pending.append(self._pool.submit(_compress, band, self._pixel_bytes, self._level))
        # Two per thread keep every thread busy; the other bands wait, or memory would grow with the image.
        while len(self._pending) > 2 * self._threads or (self._pending and self._pending[0].done()):
            self._write_oldest()

    def _write_oldest(self) -> None:
        band = self._pending.popleft().result()
        with storage_errors(self._part):
            self._file.write(struct.pack(">I4s", len(band.deflated), b"IDAT"))
            self._file.write(band.deflated)
            self._file.write(struct.pack(">I", band.crc))
        self._adler = adler32_combine(self._adler, band.adler, band.raw_bytes)

    def _write_chunk(self, name: bytes, body: bytes) -> None:
        self._file.write(struct.pack(">I", len(body)) + name + body)
        self._file.write(struct.pack(">I", zlib.crc32(name + body)))


def adler32_combine(first: int, second: int, second_bytes: int) -> int:
    """The Adler-32 of two byte strings end to end, from their own and the second one's length."""
    first_sum, first_total = first & 0xFFFF, first >> 16
    second_sum, second_total = second & 0xFFFF, second >> 16
    # Every Adler sum starts at 1; the total of the second part had first_sum - 1 too little per byte.
    low = (first_sum + second_sum - 1) % _ADLER_BASE
    high = (first_total + second_total + second_bytes * (first_sum - 1)) % _ADLER_BASE
    return high << 16 | low


def _compress(band: NDArray[np.uint8], pixel_bytes: int, level: int) -> _Band:
    def deflate(data: NDArray[np.uint8]) -> bytes:
        return _deflate(data, level)

    filtered = png_filters.apply_best(band, pixel_bytes, deflate)
    deflated = deflate(filtered)
    if len(deflated) * _FLAT_RATIO < filtered.nbytes:
        deflated = min(deflated, _deflate_well(filtered), key=len)
    crc = isal_zlib.crc32(deflated, zlib.crc32(b"IDAT"))
    return _Band(deflated, crc, isal_zlib.adler32(filtered), filtered.nbytes)


def _deflate(data: NDArray[np.uint8], level: int) -> bytes:
    stream = isal_zlib.compressobj(level, isal_zlib.DEFLATED, -15)
    body: bytes = stream.compress(data)
    return body + bytes(stream.flush(isal_zlib.Z_SYNC_FLUSH))


def _deflate_well(data: NDArray[np.uint8]) -> bytes:
    stream = zlib.compressobj(6, zlib.DEFLATED, -15)
    return stream.compress(data.data) + stream.flush(zlib.Z_SYNC_FLUSH)


def _metadata_chunks(metadata: Metadata) -> list[tuple[bytes, bytes]]:
    """Chunks that precede IDAT, in the order the specification asks for."""
    chunks: list[tuple[bytes, bytes]] = []
    if metadata.cicp:
        # The matrix is 0 and the range full, as PNG demands.
        chunks.append((b"cICP", bytes((metadata.cicp.primaries, metadata.cicp.transfer, 0, 1))))
    if metadata.icc:
        chunks.append((b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc)))
    if metadata.dpi:
        x, y = (min(round(dpi / 0.0254), 2**31 - 1) for dpi in metadata.dpi)
        chunks.append((b"pHYs", struct.pack(">IIB", x, y, 1)))
    if metadata.exif:
        chunks.append((b"eXIf", metadata.exif))
    if metadata.xmp:
        # keyword, no compression, no language, no translated keyword
        chunks.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata.xmp))
    chunks += metadata.text
    return chunks
