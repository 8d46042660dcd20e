"""Turning a full disk into the error the caller knows."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixelmend.errors import StorageFull

# EFBIG: the process's file size limit, which to the caller is the same thing
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Raise StorageFull where writing `path` fails for lack of room; other OSErrors pass."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull(f"no room left while writing {path.name}") from error
        raise
