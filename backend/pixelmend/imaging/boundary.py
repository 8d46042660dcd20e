"""Turns exceptions of readers of foreign files into an error of ours, in one place.

A library that reads a hostile file may raise any exception. No list of exceptions is complete, so every entry
point that reads such a file runs in `reading`.
"""

import errno
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixelmend.core.errors import CorruptImage, HostMemoryError, PixelmendError
from pixelmend.core.telemetry import Logger
from pixelmend.core.text import printable

# Damaged files make readers seek to impossible places; other error numbers are about the machine.
_OF_THE_FILE = frozenset({None, errno.EINVAL, errno.EOVERFLOW, errno.ENXIO, errno.EILSEQ})


@contextmanager
def reading(
    what: str, raised: type[PixelmendError] = CorruptImage, of_the_file: frozenset[int] = frozenset()
) -> Iterator[None]:
    """Turn any exception of reading a foreign file into `raised`, and log the original.

    what: names the file in the message, "the image". of_the_file: further error numbers that the library
    gives damaged files. Errors of ours pass as they are, and so do cancellation and errors of the machine:
    OSErrors of access, descriptors and disks. Raises HostMemoryError if memory does not suffice.
    """
    try:
        yield
    except PixelmendError:
        raise
    except MemoryError as error:
        raise HostMemoryError(f"the memory of this machine does not suffice for {what}") from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno not in _OF_THE_FILE | of_the_file:
            raise
        # Not the whole traceback, because formatting it takes a hundred times as long as refusing the file.
        reason, where = printable(repr(error)), _place(error)
        Logger().warning("a foreign file cannot be read", what=what, reason=reason, where=where)
        raise raised(f"{what} cannot be read: {_words(error)}") from error


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(
        f"{frame.name} ({Path(frame.filename).name}:{frame.lineno})" for frame in frames[:-6:-1]
    )


def _words(error: Exception) -> str:
    """One line; libraries quote the file at length."""
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__} ({text})" if text else type(error).__name__
