"""Arrays as uncompressed TIFF files, at the speed of the disk; and the writer of the format of that name."""

from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np

from pixelmend.core.geometry import Size
from pixelmend.imaging import row_tiff
from pixelmend.imaging.canvas import Pixels
from pixelmend.imaging.storage import storage_errors

if TYPE_CHECKING:
    import pyvips

    from pixelmend.imaging.formats.record import OutputSpec
    from pixelmend.imaging.writers import ImageWriter


def write_array(path: Path, pixels: Pixels) -> None:
    """pixels: (H, W, C), C from 1 to 4, uint8 or uint16. Raises StorageFull."""
    height, width, channels = pixels.shape
    with storage_errors(path), path.open("wb") as file:
        file.write(row_tiff.head(Size(width, height), channels, pixels.dtype.itemsize * 8))
        file.write(_as_in_the_file(pixels))


def read_array(path: Path, size: Size, channels: int, bits: int) -> Pixels:
    """(H, W, C) from a file of that size, written here. Raises ValueError if it is shorter."""
    dtype = np.dtype("u1" if bits == 8 else "<u2")
    shape = (size.height, size.width, channels)
    offset = len(row_tiff.head(size, channels, bits))
    pixels: Pixels = np.fromfile(path, dtype, offset=offset).reshape(shape)
    return pixels


def open_bare_tiff(path: Path, spec: "OutputSpec", source: Size) -> "ImageWriter":
    """source: the size in which the rows arrive."""
    from pixelmend.imaging.stream_writer import StreamWriter

    if source == spec.size:
        return BareTiffWriter(path, spec.size, spec.channels, spec.bits)
    return StreamWriter(source, spec.channels, spec.bits, partial(_save_resized, path, spec))


class BareTiffWriter:
    """An `ImageWriter`: rows go into the file as they are."""

    def __init__(self, path: Path, size: Size, channels: int, bits: int) -> None:
        """channels: 1 to 4. bits: 8 or 16. Raises StorageFull."""
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._size = size
        self._channels = channels
        self._dtype = np.dtype(np.uint8 if bits == 8 else np.uint16)
        self._rows = 0
        with storage_errors(self._part):
            self._file = self._part.open("wb")
            self._file.write(row_tiff.head(size, channels, bits))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()

    def write_rows(self, rows: Pixels) -> None:
        from pixelmend.imaging.vips import require_fitting

        require_fitting(rows, self._size, self._channels, self._dtype, self._rows)
        with storage_errors(self._part):
            self._file.write(_as_in_the_file(rows))
        self._rows += len(rows)

    def finish(self) -> None:
        try:
            if self._rows != self._size.height:
                raise ValueError(f"{self._rows} rows were written, the height is {self._size.height}")
            with storage_errors(self._part):
                self._file.close()
                self._part.replace(self._path)
        finally:
            self.abort()

    def abort(self) -> None:
        try:
            self._file.close()
        except OSError:
            pass  # flushing to a full disk fails once more; the file is removed anyway
        finally:
            self._part.unlink(missing_ok=True)


def _as_in_the_file(pixels: Pixels) -> memoryview:
    """Contiguous and little-endian."""
    return np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<")).data


def _save_resized(path: Path, spec: "OutputSpec", image: "pyvips.Image") -> None:
    from pixelmend.imaging.resize import resize
    from pixelmend.imaging.vips import save_rows

    with BareTiffWriter(path, spec.size, spec.channels, spec.bits) as writer:
        save_rows(resize(image, spec.size), writer.write_rows)
        writer.finish()
