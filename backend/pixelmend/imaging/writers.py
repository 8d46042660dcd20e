"""Writers that take a result's rows one chunk after another and leave a complete file, or none."""

from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import pyvips

from pixelmend.core.geometry import Size
from pixelmend.imaging.encode import Encode, encode_to_file
from pixelmend.imaging.formats import OutputSpec, check_encodable
from pixelmend.imaging.metadata import Metadata
from pixelmend.imaging.png import PngWriter
from pixelmend.imaging.resize import resize
from pixelmend.imaging.stream_writer import StreamWriter
from pixelmend.imaging.vips import Pixels, save_rows


class ImageWriter(Protocol):
    """Takes rows from top to bottom; the file appears at its path when `finish` returns."""

    def write_rows(self, rows: Pixels) -> None:
        """Append rows (h, W, C) of spec's channels and bits. Waits while the encoder is behind.

        Raises ValueError, StorageFull, InternalError if the encoder failed.
        """

    def finish(self) -> None:
        """Complete the file. Raises ValueError if rows are missing, StorageFull, InternalError."""

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

    Encoders with `peak_bytes_per_px` (WebP, AVIF) are the exception: they hold the whole image and begin when
    the last row is there.

    source_size: the size in which the rows arrive, if that is not spec.size; they are then resized
    (imaging/resize.py). threads: for PNG compression.

    Raises OutputTooLarge, InvalidParameter, and for PNG StorageFull; the writers of other formats raise
    StorageFull in `write_rows` or `finish`.
    """
    check_encodable(spec)
    return spec.writing.open(path, spec, metadata.upright(spec.size), source_size or spec.size, threads)


def stream_to_file(
    path: Path, spec: OutputSpec, metadata: Metadata, source: Size, encode: Encode
) -> ImageWriter:
    """A writer whose rows `encode` reads as an image, resized if need be, while they arrive."""
    return StreamWriter(source, spec.channels, spec.bits, partial(_save, path, spec, metadata, encode))


def open_png(path: Path, spec: OutputSpec, metadata: Metadata, source: Size, threads: int) -> ImageWriter:
    if source == spec.size:
        return PngWriter(path, spec.size, spec.channels, spec.bits, metadata, threads=threads)
    return StreamWriter(
        source, spec.channels, spec.bits, partial(_save_resized_png, path, spec, metadata, threads)
    )


def _save(path: Path, spec: OutputSpec, metadata: Metadata, encode: Encode, image: pyvips.Image) -> None:
    part = path.with_name(path.name + ".part")
    try:
        encode_to_file(encode, resize(image, spec.size), spec, metadata, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _save_resized_png(
    path: Path, spec: OutputSpec, metadata: Metadata, threads: int, image: pyvips.Image
) -> None:
    with PngWriter(path, spec.size, spec.channels, spec.bits, metadata, threads=threads) as png:
        save_rows(resize(image, spec.size), png.write_rows)
        png.finish()
