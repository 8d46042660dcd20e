"""The spool: encoded inputs and results on disk, removed when nothing needs them any more."""

import fcntl
import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import IO

from pixelmend.core.errors import DataDirectoryInUse, InvalidParameter, StorageFull
from pixelmend.imaging.storage import storage_errors
from pixelmend.jobs.model import Job, JobState, StoredResult

ARCHIVE_SUFFIX = ".zip"
"""The suffix of a batch's result."""

_HASHED_AT_ONCE_BYTES = 1 << 20


class Spool:
    """A directory that outlives the process; one living process has it at a time, by a lock.

    Raises DataDirectoryInUse if another one has it, InvalidParameter if it cannot be written to.
    """

    def __init__(self, root: Path, min_free_bytes: int, output_suffixes: Sequence[str]) -> None:
        self._min_free_bytes = min_free_bytes
        self._suffixes = (ARCHIVE_SUFFIX, *output_suffixes)
        try:
            root.mkdir(parents=True, exist_ok=True)
            # Beside the spool's files: what lies in the spool belongs to jobs.
            self._lock = _lock(root.with_name(root.name + ".lock"))
            tempfile.TemporaryFile(dir=root).close()
        except OSError as error:
            raise InvalidParameter(
                f"the data directory {root.parent} cannot be written to ({error.strerror}); "
                f"name another one by PIXELMEND_DATA_DIR"
            ) from error
        self.directory = root
        # A worker may outlive its killed service for an instant; what it still writes is in no file of ours.
        self._run = secrets.token_hex(4)

    def require_room(self, incoming_bytes: int = 0) -> None:
        """Raises StorageFull if the disk would keep less than its minimum free."""
        free = self.free_bytes
        if free - incoming_bytes < self._min_free_bytes:
            raise StorageFull(
                f"the spool's disk has {free} bytes free; {self._min_free_bytes} must stay free "
                f"(min_free_disk_bytes)"
            )

    @property
    def free_bytes(self) -> int:
        """What the disk has. A directory that was deleted is made again; what was in it is lost."""
        try:
            return shutil.disk_usage(self.directory).free
        except FileNotFoundError:
            self.directory.mkdir(parents=True, exist_ok=True)
            return shutil.disk_usage(self.directory).free

    def input_path(self, job_id: str) -> Path:
        """A file; of a batch, a folder of files that are named by their numbers."""
        return self.directory / f"{job_id}.in"

    def mask_path(self, job_id: str) -> Path:
        """The mask of a job that takes one."""
        return self.directory / f"{job_id}.mask"

    def parts_path(self, job_id: str) -> Path:
        """A folder for what a long job has finished, which later runs of the service go on from."""
        return self.directory / f"{job_id}.parts"

    def paths_to_go_on_with(self, job_id: str) -> tuple[Path, ...]:
        """What a job needs that an earlier run accepted; some of it may not be there."""
        return self.input_path(job_id), self.mask_path(job_id), self.parts_path(job_id)

    def output_path(self, job_id: str, suffix: str) -> Path:
        """suffix: of an output format, or ARCHIVE_SUFFIX."""
        return self.directory / f"{job_id}.{self._run}.out{suffix}"

    def link_input(self, source: Path, job_id: str, mask: Path | None = None) -> None:
        """Give the job files of the spool as its input; all go in their own time. Raises StorageFull."""
        link_file(source, self.input_path(job_id))
        if mask is not None:
            link_file(mask, self.mask_path(job_id))

    def keep_input(self, job_id: str) -> None:
        """Make the input survive a power cut. Raises StorageFull."""
        path, mask = self.input_path(job_id), self.mask_path(job_id)
        with storage_errors(path):
            for file in path.rglob("*") if path.is_dir() else ():
                _flush(file)
            _flush(path)
            if mask.exists():
                _flush(mask)
            _flush(self.directory)

    def keep_result(self, path: Path) -> StoredResult:
        """Make the result survive a power cut, and describe it. Raises OSError if it is absent."""
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(_HASHED_AT_ONCE_BYTES):
                digest.update(chunk)
            os.fsync(file.fileno())
            size_bytes = os.fstat(file.fileno()).st_size
        _flush(self.directory)
        return StoredResult(path.name, size_bytes, digest.hexdigest())

    def result_path(self, result: StoredResult) -> Path:
        return self.directory / result.name

    def remove(self, job_id: str, result: StoredResult | None = None) -> None:
        """Every file that the job has of this run, finished or partial, and that result of any run."""
        self.remove_input(job_id)
        self.remove_results(job_id)
        if result is not None:
            self.result_path(result).unlink(missing_ok=True)

    def remove_late(self, job: Job) -> None:
        """What a worker wrote for the job after its end; a suspended one goes on from its input."""
        if job.state is JobState.SUSPENDED:
            self.remove_results(job.id)
        else:
            self.remove(job.id)

    def remove_results(self, job_id: str) -> None:
        """What this run wrote for the job, and not its input."""
        # By their names: to look for them among thousands of results would hold up the event loop.
        for suffix in self._suffixes:
            path = self.output_path(job_id, suffix)
            path.unlink(missing_ok=True)
            path.with_name(path.name + ".part").unlink(missing_ok=True)

    def remove_input(self, job_id: str) -> None:
        """And what only an unfinished job needs."""
        self.mask_path(job_id).unlink(missing_ok=True)
        shutil.rmtree(self.parts_path(job_id), ignore_errors=True)
        path = self.input_path(job_id)
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def remove_all_but(self, names: Collection[str]) -> int:
        """Remove what belongs to no job; how many files that were."""
        removed = 0
        for path in self.directory.iterdir():
            if path.name in names:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)  # as earlier versions had them
            else:
                path.unlink(missing_ok=True)
            removed += 1
        return removed

    def close(self) -> None:
        self._lock.close()


def link_file(source: Path, path: Path) -> None:
    """Give a file of the spool a second name, which outlives the first. Raises StorageFull."""
    with storage_errors(path):
        try:
            path.hardlink_to(source)
        except OSError:  # a file system without links
            shutil.copyfile(source, path)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lock(path: Path) -> IO[bytes]:
    file = path.open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise DataDirectoryInUse(
            f"another service has {path.parent}; give this one a PIXELMEND_DATA_DIR of its own"
        ) from error
    return file
