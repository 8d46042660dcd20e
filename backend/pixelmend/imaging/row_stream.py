"""A bounded pipe: rows go in at one end, and libvips reads them as an image at the other."""

import os
import threading
from collections import deque
from collections.abc import Iterator

import numpy as np
import pyvips

from pixelmend.core.geometry import Size
from pixelmend.imaging import row_tiff
from pixelmend.imaging.vips import Pixels, require_fitting

_CAPACITY_BYTES = 16 << 20
_PIECE_BYTES = 1 << 20


class RowStream:
    """One thread writes and libvips' threads read; `abort` and `fail` may be called from any thread.

    The newest piece is not handed out until another follows or the stream is closed. So no encoder can
    have the whole image before the writer says that all is well, and until then `abort` ends it at once.
    """

    def __init__(
        self, size: Size, channels: int, bits: int, *, capacity_bytes: int = _CAPACITY_BYTES
    ) -> None:
        """channels: 1 to 4. bits: 8 or 16. capacity_bytes: what may wait here; two rows always may."""
        self._size = size
        self._channels = channels
        self._dtype = np.dtype(np.uint8) if bits == 8 else np.dtype(np.uint16)
        self._head = row_tiff.head(size, channels, bits)
        self._total_bytes = len(self._head) + size.pixels * channels * bits // 8
        self._capacity_bytes = capacity_bytes
        self._position = 0  # of the reader, in the file that it reads
        self._changed = threading.Condition()
        # What follows is guarded by _changed.
        self._pieces: deque[memoryview] = deque()
        self._waiting_bytes = 0
        self._next_byte = len(self._head)  # the position of the first byte in _pieces
        self._rows = 0
        self._complete = False
        self._broken = False
        self._error: BaseException | None = None

    def image(self) -> pyvips.Image:
        """The rows as a lazy image that can be read once, from top to bottom, while the stream lives.
        Reading waits for rows.

        Raises pyvips.Error, as does reading the image, when the stream is broken.
        """
        # Kept, because the image keeps libvips' object but not Python's, which has the callbacks.
        self._source = pyvips.SourceCustom()
        self._source.on_read(self._read)
        self._source.on_seek(self._seek)
        return pyvips.Image.tiffload_source(
            self._source, access="sequential", fail_on="error", unlimited=True
        )

    def write(self, rows: Pixels) -> None:
        """Append rows (h, W, C); they are copied. Waits while the stream is full.

        Raises ValueError on a wrong shape, dtype or too many rows, or when the stream has ended; what
        `fail` was called with.
        """
        self.require_open()
        require_fitting(rows, self._size, self._channels, self._dtype, self._rows)
        for part in _parts(rows):
            piece = memoryview(part.astype(part.dtype.newbyteorder("<"), copy=False).tobytes())
            with self._changed:
                while not (self._broken or self._has_room_for(len(piece))):
                    self._changed.wait()
                self.require_open()
                self._pieces.append(piece)
                self._waiting_bytes += len(piece)
                self._rows += len(part)
                self._changed.notify_all()

    def complete(self) -> None:
        """Let the reader have the last piece.

        Raises ValueError if rows are missing or the stream has ended; what `fail` was called with.
        """
        with self._changed:
            self.require_open()
            if self._rows != self._size.height:
                raise ValueError(f"{self._rows} rows were written, the height is {self._size.height}")
            self._complete = True
            self._changed.notify_all()

    def abort(self) -> None:
        """Break the stream: reading fails from now on, and writing is refused."""
        self._break(None)

    def fail(self, error: BaseException) -> None:
        """Break the stream because its reader failed: the writer gets `error`."""
        self._break(error)

    def require_open(self) -> None:
        """Raise what `fail` was called with, or ValueError when the stream has ended otherwise."""
        if self._error is not None:
            raise self._error
        if self._complete or self._broken:
            raise ValueError("the writer is already finished or aborted")

    def _break(self, error: BaseException | None) -> None:
        with self._changed:
            if not self._broken:
                self._error = error
            self._broken = True
            self._pieces.clear()
            self._changed.notify_all()

    def _has_room_for(self, size: int) -> bool:
        # The last piece is held back, so that a reader may be waiting although there is one.
        return len(self._pieces) <= 1 or self._waiting_bytes + size <= self._capacity_bytes

    # --- libvips' side: the callbacks of a custom source. Exceptions in them would be lost. ---------------

    def _read(self, size: int) -> bytes | memoryview:
        """At most `size` bytes from the position on; none at the end, which libvips takes for an error
        if it expects more.
        """
        if self._position < len(self._head):
            data: bytes | memoryview = self._head[self._position : self._position + size]
        else:
            data = self._take(size)
        self._position += len(data)
        return data

    def _take(self, size: int) -> bytes | memoryview:
        with self._changed:
            self._changed.wait_for(lambda: self._broken or self._complete or len(self._pieces) > 1)
            if self._broken or not self._pieces or self._position != self._next_byte:
                return b""
            first = self._pieces.popleft()
            data = first[:size]
            if len(first) > size:
                self._pieces.appendleft(first[size:])
            self._waiting_bytes -= len(data)
            self._next_byte += len(data)
            self._changed.notify_all()
            return data

    def _seek(self, offset: int, whence: int) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._total_bytes}[whence]
        self._position = start + offset
        return self._position


def _parts(rows: Pixels) -> Iterator[Pixels]:
    """The rows in pieces of a megabyte, or one row if that is more."""
    step = max(1, _PIECE_BYTES // max(1, rows[:1].nbytes))
    for top in range(0, len(rows), step):
        yield rows[top : top + step]
