"""Files: mapped for reading, and a full disk turned into StorageFull."""

import errno
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from pixelmend.core.error_codes import FULL_DISK
from pixelmend.core.errors import StorageFull

_CANNOT_MAP = (errno.ENODEV, errno.EOPNOTSUPP)
"""From some file systems in user space, such as mergerfs without its cache of files."""


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Raise StorageFull if writing `path` fails for lack of room; other OSErrors pass."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL_DISK:
            raise StorageFull(f"no room left while writing {path.name}") from error
        raise


@contextmanager
def mapped(path: Path) -> Iterator[bytes]:
    """The file's bytes without reading them all. A map has enough of the interface of bytes for slicing,
    indexing, `struct` and regular expressions. Slices are real bytes.

    The file must not be empty, nor be cut short meanwhile. If its file system does not map files, it is read.
    """
    with path.open("rb") as file:
        try:
            map_ = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            if error.errno not in _CANNOT_MAP:
                raise
            yield file.read()
            return
        with map_ as data:
            yield cast(bytes, data)
