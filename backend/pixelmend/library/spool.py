"""A private folder for the files in which arrays cross to an engine and back."""

import fcntl
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path

_PREFIX, _LOCK_NAME = "pixelmend-arrays-", "lock"
_FRESH_S = 60.0


class CallFolder:
    """The files of one call. They go when both the caller and the engine have released them: an engine that
    was told to cancel may still be writing.
    """

    def __init__(self, path: Path) -> None:
        path.mkdir()
        self.path = path
        self._holders = 2
        self._lock = threading.Lock()

    def release(self) -> None:
        with self._lock:
            self._holders -= 1
            is_last = self._holders == 0
        if is_last:
            shutil.rmtree(self.path, ignore_errors=True)


class Spool:
    """Readable by this user alone; lies where TMPDIR says. Making one removes those of killed processes."""

    def __init__(self) -> None:
        remove_stale(Path(tempfile.gettempdir()))
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        # Held as long as this process lives, and by no process that it starts.
        self._lock: int | None = os.open(self.path / _LOCK_NAME, os.O_CREAT | os.O_WRONLY, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def folder(self, call_id: str) -> CallFolder:
        return CallFolder(self.path / call_id)

    def remove(self) -> None:
        """With all that is in it. Does nothing a second time."""
        shutil.rmtree(self.path, ignore_errors=True)
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)


def remove_stale(folder: Path) -> None:
    """Remove the spools below `folder` of which no process holds the lock."""
    for lock in folder.glob(f"{_PREFIX}*/{_LOCK_NAME}"):
        try:
            with lock.open("rb") as file:
                if time.time() - lock.parent.stat().st_mtime < _FRESH_S:
                    continue  # its process may not hold it yet
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
        except OSError:  # it is held, it is another user's, or another process has just removed it
            continue
