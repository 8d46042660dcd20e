"""The few things every user of libvips here needs: set-up, rows as arrays, error translation."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray

from pixelmend.core.errors import CorruptImage
from pixelmend.core.geometry import Size

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
PixelDtype = np.dtype[np.uint8] | np.dtype[np.uint16]

# libvips holds several times as much while it computes them, and more is not faster.
_ROW_BYTES_AT_ONCE = 256 << 10
_LOGGER = logging.getLogger("pyvips")


def configure_vips(threads: int) -> None:
    """Set libvips up for this process: called once, by the worker's main.

    threads: size of its pool. The operation cache is off (every file is another, and a cached header
    of a path whose content has changed is wrong), and loaders that were not written for hostile
    files are blocked.
    """
    pyvips.cache_set_max(0)
    pyvips.concurrency_set(max(1, threads))
    pyvips.block_untrusted_set(True)


@contextmanager
def decode_errors(what: str) -> Iterator[None]:
    """Turn libvips' errors into CorruptImage. what: names the file's format.

    libvips caches some formats' rows in tiles, and makes those that fail black with no more than a warning.
    The warning, which comes in the thread that fetches the rows, is an error here.
    """
    failed_tiles = _FailedTiles()
    _LOGGER.addHandler(failed_tiles)
    try:
        yield
    except pyvips.Error as error:
        raise CorruptImage(f"the {what} cannot be decoded: {reason(error)}") from error
    except UnicodeDecodeError as error:
        # pyvips cannot read a message that quotes the file's bytes, and does not clear it.
        pyvips.vips_lib.vips_error_clear()
        raise CorruptImage(f"the {what} cannot be decoded") from error
    finally:
        _LOGGER.removeHandler(failed_tiles)
    if failed_tiles.any:
        raise CorruptImage(f"the {what} cannot be decoded: some of its pixels are damaged")


class _FailedTiles(logging.Handler):
    """Remembers whether libvips failed at a tile in this thread."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.any = False
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread and "error in tile" in record.getMessage():
            self.any = True


def reason(error: pyvips.Error) -> str:
    """libvips' own message; its last line is the cause nearest to the data."""
    lines = [line for line in str(error.detail or error.message).splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no reason given"


def pixel_dtype(image: pyvips.Image) -> PixelDtype:
    """uint8 or uint16, by the image's format."""
    return np.dtype(np.uint16) if image.format == "ushort" else np.dtype(np.uint8)


def row_bands(image: pyvips.Image) -> Iterator[Pixels]:
    """The image's rows from top to bottom as arrays (h, W, C), a few hundred kB at a time.

    image: 8 or 16-bit unsigned; it is computed while the rows are fetched, so sequential access is
    enough. Raises pyvips.Error.
    """
    dtype = pixel_dtype(image)
    region = pyvips.Region.new(image)
    rows = max(16, _ROW_BYTES_AT_ONCE // (image.width * image.bands * dtype.itemsize))
    for top in range(0, image.height, rows):
        height = min(rows, image.height - top)
        data = region.fetch(0, top, image.width, height)
        rows_now: Pixels = np.frombuffer(data, dtype)  # type: ignore[assignment]
        yield rows_now.reshape(height, image.width, image.bands)


def save_rows(image: pyvips.Image, write_rows: Callable[[Pixels], None]) -> None:
    """Hand the image's rows (h, W, C) to `write_rows` from top to bottom.

    image: 8 or 16-bit unsigned, sequential access is enough. Unlike with `row_bands`, libvips' thread
    pool computes rows ahead; `write_rows` is called from its threads. Raises what `write_rows` raises,
    pyvips.Error.
    """
    dtype = pixel_dtype(image)
    row_bytes = image.width * image.bands * dtype.itemsize
    pending = bytearray()
    failure: BaseException | None = None

    def write(data: bytes) -> int:
        nonlocal failure, pending
        pending += data
        rows = len(pending) // row_bytes
        if rows:
            whole, pending = pending[: rows * row_bytes], pending[rows * row_bytes :]
            pixels: Pixels = np.frombuffer(whole, dtype)  # type: ignore[assignment]
            try:
                write_rows(pixels.reshape(rows, image.width, image.bands))
            except BaseException as error:
                failure = error  # libvips could not pass it on
                return -1
        return len(data)

    target = pyvips.TargetCustom()
    target.on_write(write)
    try:
        image.rawsave_target(target)
    except pyvips.Error:
        if failure is None:
            raise
    if failure is not None:
        raise failure


def require_fitting(rows: Pixels, size: Size, channels: int, dtype: np.dtype[Any], before: int) -> None:
    """Raise ValueError unless `rows` are (h, size.width, channels) of `dtype` and there is room for them.

    before: rows that the image has already.
    """
    if rows.ndim != 3 or rows.shape[1:] != (size.width, channels) or rows.dtype != dtype:
        raise ValueError(
            f"expected rows (h, {size.width}, {channels}) of {dtype}, got {rows.shape} of {rows.dtype}"
        )
    if before + len(rows) > size.height:
        raise ValueError(f"row {before + len(rows)} exceeds the height of {size.height}")
