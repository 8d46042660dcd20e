"""A batch's results as a ZIP that grows by whole entries, so that what is there can be sent already."""

import hashlib
import os
import time
import zipfile
from contextlib import suppress
from pathlib import Path

from pixelmend.imaging.storage import storage_errors
from pixelmend.jobs.model import StoredResult

_COPIED_AT_ONCE_BYTES = 1 << 20
_ZIP64_FROM_BYTES = 1 << 31
_REGULAR_FILE = 0o100644 << 16  # where ZIP keeps Unix permissions


class ResultArchive:
    """Nothing is compressed: images are that already. Made, used and ended by one thread at a time.

    The file appears at `path` when it is finished; until then it is `path` with `.part`. All methods that
    write raise StorageFull.
    """

    def __init__(self, path: Path, created_s: float) -> None:
        self._path = path
        self._part = path.with_name(path.name + ".part")
        # ZIP has no time before 1980, and no zone.
        self._time = max(time.gmtime(created_s)[:6], (1980, 1, 1, 0, 0, 0))
        with storage_errors(path):
            self._file = self._part.open("w+b")
            # Not to the bare file: sizes are then written into an entry's head, where readers of streams
            # look for them, and not behind its data.
            self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_STORED)

    def add(self, name: str, source: Path) -> StoredResult:
        """Append a file; what it is there. Raises OSError if it cannot be read."""
        digest = hashlib.sha256()
        with source.open("rb") as file, storage_errors(self._path):
            size_bytes = os.fstat(file.fileno()).st_size
            wide = size_bytes >= _ZIP64_FROM_BYTES
            with self._zip.open(self._entry(name, size_bytes), "w", force_zip64=wide) as entry:
                while chunk := file.read(_COPIED_AT_ONCE_BYTES):
                    digest.update(chunk)
                    entry.write(chunk)
            self._file.flush()
        return StoredResult(name, size_bytes, digest.hexdigest())

    def add_text(self, name: str, text: str) -> None:
        with storage_errors(self._path):
            self._zip.writestr(self._entry(name, len(text)), text, zipfile.ZIP_DEFLATED)
            self._file.flush()

    @property
    def final_bytes(self) -> int:
        """How much of the file is written and stays as it is."""
        return self._file.tell()

    def finish(self) -> int:
        """How many bytes the file has."""
        with storage_errors(self._path):
            self._zip.close()
            size_bytes = self._file.tell()
            self._file.close()
            self._part.replace(self._path)
        return size_bytes

    def discard(self) -> None:
        """End without a result, whatever was done before."""
        self._zip.fp = None  # or it would write its list of entries when it is collected
        with suppress(OSError):  # on a full disk what was still buffered cannot be written
            self._file.close()
        self._part.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)

    def _entry(self, name: str, size_bytes: int) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(name, self._time)
        entry.external_attr = _REGULAR_FILE
        entry.file_size = size_bytes
        return entry
