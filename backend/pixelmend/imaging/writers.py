"""Writers that take a result's rows one chunk after another and leave a complete file, or none."""

from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import pyvips

from pixelmend.core.geometry import Size
from pixelmend.imaging.encode import encode
from pixelmend.imaging.formats import OutputFormat, OutputSpec, check_encodable, losses
from pixelmend.imaging.metadata import Metadata
from pixelmend.imaging.png import PngWriter
from pixelmend.imaging.resize import resize
from pixelmend.imaging.stream_writer import StreamWriter
from pixelmend.imaging.vips import Pixels, save_rows

__all__ = ["ImageWriter", "OutputFormat", "OutputSpec", "check_encodable", "losses", "open_writer"]


class ImageWriter(Protocol):
    """Takes rows from top to bottom; the file appears at its path when `finish` returns."""

    def write_rows(self, rows: Pixels) -> None:
        """Append rows (h, W, C) of spec's channels and bits. Waits while the encoder is behind.

        Raises ValueError, StorageFull, InternalError where the encoder failed.
        """

    def finish(self) -> None:
        """Complete the file. Raises ValueError where rows are missing, StorageFull, InternalError."""

    def abort(self) -> None:
        """Remove every trace and end every thread; does nothing after `finish`."""

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
    source_size: Size | None = None,
) -> ImageWriter:
    """A writer for `path`, which encodes while rows arrive and holds a few MB of them.

    WebP and AVIF are the exception: their encoders hold the whole image, 8 and 20 bytes a pixel at
    their peak, and begin when the last row is there.

    source_size: the size in which the rows arrive, where that is not spec.size; they are then resized
    (imaging/resize.py). threads: for PNG compression.

    Raises OutputTooLarge, InvalidParameter, and for PNG StorageFull; other formats meet a full disk in
    `write_rows` or `finish`.
    """
    check_encodable(spec)
    upright = metadata.upright(spec.size)
    source = source_size or spec.size
    if spec.format is not OutputFormat.PNG:
        return StreamWriter(source, spec.channels, spec.bits, partial(_save, path, spec, upright))
    if source == spec.size:
        return PngWriter(path, spec.size, spec.channels, spec.bits, upright, threads=threads)
    return StreamWriter(
        source, spec.channels, spec.bits, partial(_save_resized_png, path, spec, upright, threads)
    )


def _save(path: Path, spec: OutputSpec, metadata: Metadata, image: pyvips.Image) -> None:
    part = path.with_name(path.name + ".part")
    try:
        encode(resize(image, spec.size), spec, metadata, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _save_resized_png(
    path: Path, spec: OutputSpec, metadata: Metadata, threads: int, image: pyvips.Image
) -> None:
    with PngWriter(path, spec.size, spec.channels, spec.bits, metadata, threads=threads) as png:
        save_rows(resize(image, spec.size), png.write_rows)
        png.finish()
