"""What reading a model's file has shown. Known until the file changes, whether the model is open or not."""

import errno
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from pixelmend.core.errors import ModelUnusable
from pixelmend.engine.weights.architecture import LoadedModel, read_model
from pixelmend.models.catalog import Catalog, ModelEntry, ModelTask
from pixelmend.models.description import ExecutionProfile
from pixelmend.models.dials import UNTURNED, Dials

MAX_PROBLEM_LENGTH = 300
"""Parsers quote from the files they fail on; descriptions travel to the API process again and again."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """All None: the file was not read yet. problem: why the file cannot be used, if it cannot.
    execution_profile: known once the model was opened.
    """

    task: ModelTask | None = None
    architecture: str | None = None
    scale: int | None = None
    problem: str | None = None
    execution_profile: ExecutionProfile | None = None


@dataclass(frozen=True, slots=True)
class _FileVersion:
    modified_ns: int
    size_bytes: int
    inode: int


_FileVersions = tuple[_FileVersion, ...]


class Inspections:
    """Used by all threads of a worker."""

    def __init__(self, read: Callable[[Catalog, str, Dials], LoadedModel] = read_model) -> None:
        self._read = read
        self._lock = Lock()
        self._by_path: dict[Path, tuple[_FileVersions, Inspection]] = {}

    def get(self, entry: ModelEntry) -> Inspection:
        """What is known of the file that is there now."""
        now = _file_version(entry)
        with self._lock:
            then, inspection = self._by_path.get(entry.path, (None, Inspection()))
        return inspection if then == now else Inspection()

    def load(self, catalog: Catalog, model_id: str, dials: Dials = UNTURNED) -> LoadedModel:
        """As `read_model`, and remember the outcome: a bad file is not read twice."""
        entry = catalog.usable(model_id)
        self._raise_known_problem(entry)
        for partner in catalog.partners(model_id, dials):
            self._raise_known_problem(partner.entry)
        # Taken before the file is read: if it is replaced meanwhile, what was read is not known of the new
        # one.
        version = _file_version(entry)
        try:
            model = self._read(catalog, model_id, dials)
        except ModelUnusable as error:
            # With a dial turned, several files are read, and another one may be the bad one.
            if not dials.turned and not _is_temporary(error):
                self._keep(entry, version, _unusable(error))
            raise
        known = model.architecture
        profile = self.get(entry).execution_profile
        self._keep(entry, version, Inspection(known.task, known.name, known.scale, execution_profile=profile))
        return model

    def record_unusable(self, entry: ModelEntry, error: ModelUnusable) -> None:
        """The file was read, and then the model could not be used."""
        self._keep(entry, _file_version(entry), _unusable(error))

    def record_execution_profile(self, entry: ModelEntry, profile: ExecutionProfile) -> None:
        """The profile of a model that was opened; ignored if its file has changed since."""
        inspection = self.get(entry)
        if inspection.architecture is not None:
            self._keep(entry, _file_version(entry), replace(inspection, execution_profile=profile))

    def _raise_known_problem(self, entry: ModelEntry) -> None:
        known = self.get(entry)
        if known.problem is not None:
            raise ModelUnusable(known.problem)

    def _keep(self, entry: ModelEntry, version: _FileVersions | None, inspection: Inspection) -> None:
        if version is not None:
            with self._lock:
                self._by_path[entry.path] = (version, inspection)


def _unusable(error: ModelUnusable) -> Inspection:
    return Inspection(problem=error.message[:MAX_PROBLEM_LENGTH])


def _file_version(entry: ModelEntry) -> _FileVersions | None:
    """None if one of its files is not there."""
    try:
        found = [path.stat() for path in entry.files]
    except OSError:
        return None
    return tuple(_FileVersion(one.st_mtime_ns, one.st_size, one.st_ino) for one in found)


def _is_temporary(error: ModelUnusable) -> bool:
    """Whether the system failed and not the file: no access, too many open files, no memory."""
    cause = error.__cause__
    denied = isinstance(cause, OSError) and cause.errno != errno.EINVAL
    return denied or isinstance(cause, MemoryError) or "can't allocate memory" in str(cause)
