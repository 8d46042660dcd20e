"""The part of a file that has arrived: `NAME.part` beside its place, and the address that it came from."""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_HASHED_AT_ONCE_BYTES = 1 << 20


class PartialFile:
    """Made by `held_partial`. Every method raises OSError if the disk refuses."""

    def __init__(self, target: Path, file: IO[bytes]) -> None:
        self._target = target
        self._file = file
        self._digest = hashlib.sha256()
        self.size_bytes = 0
        while chunk := file.read(_HASHED_AT_ONCE_BYTES):
            self._count(chunk)

    def validator_of(self, url: str) -> str | None:
        """The ETag or Last-Modified that `url` gave for what is here; None if that is not known."""
        try:
            origin = json.loads(_origin_path(self._target).read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        known = self.size_bytes > 0 and isinstance(origin, dict) and origin.get("url") == url
        return origin.get("validator") if known else None

    def restart(self, url: str, validator: str | None) -> None:
        """Delete what has arrived; what follows comes from `url`."""
        # The bytes are deleted first, so that the new validator is never taken for that of the old ones.
        self.clear()
        if validator is not None:
            _origin_path(self._target).write_text(json.dumps({"url": url, "validator": validator}))

    def append(self, chunk: bytes) -> None:
        left = memoryview(chunk)
        while left:
            left = left[self._file.write(left) :]
        self._count(chunk)

    def clear(self) -> None:
        _origin_path(self._target).unlink(missing_ok=True)
        self._file.seek(0)
        self._file.truncate()
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def sha256(self) -> str:
        return self._digest.hexdigest()

    def commit(self) -> None:
        """Put the complete file in its place."""
        os.fsync(self._file.fileno())
        _origin_path(self._target).unlink(missing_ok=True)
        # This comes last: once the file is in its place, no error may follow after which it would be cleared.
        _part_path(self._target).replace(self._target)

    def _count(self, chunk: bytes) -> None:
        self._digest.update(chunk)
        self.size_bytes += len(chunk)


@contextmanager
def held_partial(target: Path, wait: Callable[[int], None]) -> Iterator[PartialFile]:
    """The partial file of `target`, which one thread of one process has at a time.

    wait: called repeatedly while another has it, with the bytes that have arrived there; it sleeps, and
    raises to give up. An empty partial file is removed at the end.
    """
    file = _locked(target, wait)
    try:
        partial = PartialFile(target, file)
        try:
            yield partial
        finally:
            # Before the lock is released, or the file of another download could be removed.
            if partial.size_bytes == 0:
                _remove(target)
    finally:
        file.close()


def remove_partial(target: Path) -> bool:
    """Remove what has arrived of `target`. False if there was nothing, or a download is running."""
    if not _part_path(target).exists():
        return False
    try:
        file = _locked(target, _give_up)
    except BlockingIOError:
        return False
    with file:
        _remove(target)
    return True


def _locked(target: Path, wait: Callable[[int], None]) -> IO[bytes]:
    while True:
        # Unbuffered, so that what has arrived survives a kill.
        file = _part_path(target).open("a+b", buffering=0)
        try:
            if _lock(file) and _is_still(file, _part_path(target)):
                file.seek(0)
                return file
            wait(os.fstat(file.fileno()).st_size)
        except BaseException:
            file.close()
            raise
        file.close()


def _lock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(file: IO[bytes], path: Path) -> bool:
    """Who had the lock before may have renamed or removed the file after it was opened here."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _give_up(_arrived_bytes: int) -> None:
    raise BlockingIOError


def _remove(target: Path) -> None:
    _origin_path(target).unlink(missing_ok=True)
    _part_path(target).unlink(missing_ok=True)


def _part_path(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def _origin_path(target: Path) -> Path:
    return target.with_name(target.name + ".part.json")
