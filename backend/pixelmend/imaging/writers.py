"""Writers that take a result's rows one chunk after another and leave a complete file, or none."""

import mmap
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import pyvips

from pixelmend.errors import InternalError
from pixelmend.imaging.encode import encode
from pixelmend.imaging.formats import OutputFormat, OutputSpec, check_encodable, losses
from pixelmend.imaging.geometry import Size
from pixelmend.imaging.metadata import Metadata
from pixelmend.imaging.png import PngWriter
from pixelmend.imaging.resize import chunked_rows, resize
from pixelmend.imaging.storage import storage_errors
from pixelmend.imaging.vips import Pixels, reason

__all__ = ["ImageWriter", "OutputFormat", "OutputSpec", "check_encodable", "losses", "open_writer"]

_INTERPRETATIONS = {(1, 8): "b-w", (1, 16): "grey16", (3, 8): "srgb", (3, 16): "rgb16"}


class ImageWriter(Protocol):
    """Takes rows from top to bottom; the file appears at its path when `finish` returns."""

    def write_rows(self, rows: Pixels) -> None:
        """Append rows (h, W, C) of spec's channels and bits. Raises ValueError, StorageFull."""

    def finish(self) -> None:
        """Complete the file. Raises ValueError where rows are missing, StorageFull."""

    def abort(self) -> None:
        """Remove every trace; does nothing after `finish`."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_writer(
    path: Path,
    spec: OutputSpec,
    metadata: Metadata,
    *,
    threads: int,
    scratch_dir: Path,
    source_size: Size | None = None,
) -> ImageWriter:
    """A writer for `path`.

    source_size: the size in which the rows arrive, where that is not spec.size; they are then resized
    (Lanczos, alpha premultiplied meanwhile). scratch_dir: where formats other than unresized PNG keep
    the raw rows until `finish`: as many bytes as the rows have. threads: for PNG compression.

    Raises OutputTooLarge, InvalidParameter, StorageFull.
    """
    check_encodable(spec)
    upright = metadata.upright(spec.size)
    if spec.format is OutputFormat.PNG and source_size in (None, spec.size):
        return PngWriter(path, spec.size, spec.channels, spec.bits, upright, threads=threads)
    return ScratchWriter(path, spec, upright, source_size or spec.size, threads, scratch_dir)


class ScratchWriter:
    """Keeps raw rows in a scratch file, which libvips maps and encodes at `finish`.

    Only a few bands of the image are in memory at a time (WebP and AVIF encoders hold it whole).
    """

    def __init__(
        self, path: Path, spec: OutputSpec, metadata: Metadata, source: Size, threads: int, scratch_dir: Path
    ) -> None:
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._spec = spec
        self._metadata = metadata
        self._source = source
        self._threads = threads
        self._rows = 0
        self._open = True
        with storage_errors(scratch_dir):
            # Without a name, so that even a killed process leaves nothing behind. Plain writes and not
            # a writable map: a full disk is then an error and not a SIGBUS.
            self._file = tempfile.TemporaryFile(dir=scratch_dir)  # noqa: SIM115 - open until the end

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()

    def write_rows(self, rows: Pixels) -> None:
        self._require_open()
        expected = (self._source.width, self._spec.channels)
        if rows.ndim != 3 or rows.shape[1:] != expected or rows.dtype.itemsize * 8 != self._spec.bits:
            raise ValueError(
                f"expected rows (h, {expected[0]}, {expected[1]}) of {self._spec.bits} bits, "
                f"got {rows.shape} of {rows.dtype}"
            )
        if self._rows + len(rows) > self._source.height:
            raise ValueError(f"row {self._rows + len(rows)} exceeds the height of {self._source.height}")
        with storage_errors(self._part):
            self._file.write(rows.tobytes())
        self._rows += len(rows)

    def finish(self) -> None:
        self._require_open()
        try:
            if self._rows != self._source.height:
                raise ValueError(f"{self._rows} rows were written, the height is {self._source.height}")
            with storage_errors(self._part):
                self._file.flush()
            try:
                self._encode(resize(self._mapped(), self._spec.size))
            except pyvips.Error as error:
                raise InternalError(f"encoding {self._spec.format} failed: {reason(error)}") from error
        finally:
            self.abort()

    def abort(self) -> None:
        if not self._open:
            return
        self._open = False
        try:
            self._file.close()
        except OSError:
            pass  # flushing to a full disk fails once more; the file goes anyway
        finally:
            self._part.unlink(missing_ok=True)

    def _require_open(self) -> None:
        if not self._open:
            raise ValueError("the writer is already finished or aborted")

    def _mapped(self) -> pyvips.Image:
        spec = self._spec
        colour = spec.channels - spec.has_alpha
        rows = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        image = pyvips.Image.new_from_memory(
            rows,
            self._source.width,
            self._source.height,
            spec.channels,
            "ushort" if spec.bits == 16 else "uchar",
        )
        return image.copy(interpretation=_INTERPRETATIONS[colour, spec.bits])

    def _encode(self, image: pyvips.Image) -> None:
        spec = self._spec
        if spec.format is not OutputFormat.PNG:
            encode(image, spec, self._metadata, self._part)
            self._part.replace(self._path)
            return
        with PngWriter(
            self._path, spec.size, spec.channels, spec.bits, self._metadata, threads=self._threads
        ) as png:
            for rows in chunked_rows(image):
                png.write_rows(rows)
            png.finish()
