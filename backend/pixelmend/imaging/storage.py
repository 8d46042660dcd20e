"""Files: mapped for reading, and a full disk turned into StorageFull."""

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from pixelmend.core.error_codes import FULL_DISK
from pixelmend.core.errors import StorageFull


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

    The file must not be empty, nor be cut short meanwhile.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield cast(bytes, data)
