"""Encoders that hold a whole image begin only when there is memory for it."""

import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from pixelmend.core.errors import HostMemoryError, OutputTooLarge
from pixelmend.core.geometry import Size
from pixelmend.engine.devices.memory import MemoryReading
from pixelmend.imaging.formats import OutputSpec
from pixelmend.imaging.metadata import Metadata
from pixelmend.imaging.vips import Pixels
from pixelmend.imaging.writers import ImageWriter, open_writer

_RESERVE_SHARE = 0.1
"""The share of the free memory that is left for everything else."""
_POLL_S = 0.1


class Encoders:
    """Opens writers. Used by several threads.

    read: the machine's memory now.
    """

    def __init__(self, read: Callable[[], MemoryReading]) -> None:
        self._read = read
        self._changed = threading.Condition()
        self._held: dict[Path, int] = {}

    def open_writer(
        self,
        path: Path,
        spec: OutputSpec,
        metadata: Metadata,
        *,
        threads: int,
        source_size: Size | None = None,
        raise_if_cancelled: Callable[[], None],
    ) -> ImageWriter:
        """As `open_writer` of imaging/writers.py. Waits while other encoders have the memory that it needs.

        raise_if_cancelled: called while it waits. Raises what it raises, OutputTooLarge if this machine
        could never encode it, and HostMemoryError if something other than encoders uses the memory.
        """
        self._acquire(path, spec, raise_if_cancelled)
        try:
            writer = open_writer(path, spec, metadata, threads=threads, source_size=source_size)
        except BaseException:
            self._release(path)
            raise
        return _Held(writer, lambda: self._release(path))

    def _acquire(self, path: Path, spec: OutputSpec, raise_if_cancelled: Callable[[], None]) -> None:
        wanted = spec.size.pixels * spec.writing.peak_bytes_per_px
        if not wanted:
            return
        with self._changed:
            while True:
                reading = self._read()
                what = f"encoding {spec.size} px as {spec.format} takes {wanted >> 20} MB"
                if wanted > reading.capacity_bytes * (1 - _RESERVE_SHARE):
                    raise OutputTooLarge(f"{what}, and this machine has {reading.capacity_bytes >> 20} MB")
                free = round(reading.free_bytes * (1 - _RESERVE_SHARE))
                # Memory that other encoders have taken already counts twice, so we may wait longer than
                # needed.
                if wanted <= free - sum(self._held.values()):
                    self._held[path] = wanted
                    return
                if not self._held:
                    raise HostMemoryError(f"{what}, and {free >> 20} MB are to be had now")
                self._changed.wait(_POLL_S)
                raise_if_cancelled()

    def _release(self, path: Path) -> None:
        with self._changed:
            self._held.pop(path, None)
            self._changed.notify_all()


class _Held:
    """A writer that releases its memory when it finishes or aborts."""

    def __init__(self, writer: ImageWriter, release: Callable[[], None]) -> None:
        self._writer = writer
        self._release = release

    def write_rows(self, rows: Pixels) -> None:
        self._writer.write_rows(rows)

    def finish(self) -> None:
        self._writer.finish()
        self._release()

    def abort(self) -> None:
        try:
            self._writer.abort()
        finally:
            self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()
