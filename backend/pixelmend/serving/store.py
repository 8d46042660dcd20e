"""The spool: encoded inputs and results on disk, removed when nobody needs them any more."""

import fcntl
import shutil
import tempfile
from pathlib import Path
from typing import IO

from pixelmend.errors import StorageFull
from pixelmend.imaging.formats import OutputFormat


class Spool:
    """A directory of this process alone. What a killed process left behind is removed by the next one.

    Each process holds a lock on its directory for as long as it lives, so several may share `root`.
    """

    def __init__(self, root: Path, min_free_bytes: int) -> None:
        self._root = root
        self._min_free_bytes = min_free_bytes
        root.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(root)
        self.directory = Path(tempfile.mkdtemp(prefix="run-", dir=root))
        self._lock = _lock(self.directory)

    def require_room(self, incoming_bytes: int = 0) -> None:
        """Raises StorageFull where the disk would keep less than its minimum free."""
        free = shutil.disk_usage(self.directory).free
        if free - incoming_bytes < self._min_free_bytes:
            raise StorageFull(
                f"the spool's disk has {free} bytes free; {self._min_free_bytes} must stay free "
                f"(min_free_disk_bytes)"
            )

    def input_path(self, job_id: str) -> Path:
        return self.directory / f"{job_id}.in"

    def output_path(self, job_id: str, output_format: OutputFormat) -> Path:
        return self.directory / f"{job_id}.out{output_format.suffix}"

    def remove(self, job_id: str) -> None:
        """Every file of the job, finished or partial."""
        for path in self.directory.glob(f"{job_id}.*"):
            path.unlink(missing_ok=True)

    def close(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()


def _remove_abandoned(root: Path) -> None:
    for directory in root.glob("run-*"):
        lock = _lock(directory)
        if lock is not None:
            shutil.rmtree(directory, ignore_errors=True)
            lock.close()


def _lock(directory: Path) -> IO[bytes] | None:
    """Hold the directory's lock; None where another process holds it."""
    try:
        file = (directory / "lock").open("wb")
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file
