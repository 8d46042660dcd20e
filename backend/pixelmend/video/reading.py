"""Turns what FFmpeg's libraries raise for a foreign file into an error of ours."""

import errno
import mmap
from collections.abc import Iterator
from contextlib import contextmanager

from pixelmend.core.errors import CorruptVideo
from pixelmend.imaging.boundary import reading

_SPARE_BYTES = 256 << 20
"""A machine that has this much in one piece did not run out of memory by reading a film."""


@contextmanager
def reading_film(what: str = "the film") -> Iterator[None]:
    """what: names what is read in the message. Raises CorruptVideo; HostMemoryError if memory is short.

    FFmpeg tells of files that are cut off as it tells of disks that fail, and of damaged sizes (an index of
    two thousand million entries) as it tells of a machine without memory.
    """
    with reading(what, CorruptVideo, of_the_file=frozenset({errno.EIO})):
        try:
            yield
        except MemoryError as error:
            if not _is_free(_SPARE_BYTES):
                raise
            raise CorruptVideo(
                f"{what} cannot be read: a damaged size in it asks for too much memory"
            ) from error


def _is_free(size_bytes: int) -> bool:
    """Whether the process may have so much memory now; none of it is used."""
    try:
        mmap.mmap(-1, size_bytes).close()
    except OSError:
        return False
    return True
