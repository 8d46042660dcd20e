"""What reading a model's file has shown; known until the file changes, whether the model is open or not."""

import errno
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from pixelmend.core.errors import ModelUnusable
from pixelmend.engine.loader import LoadedModel, read_model
from pixelmend.models.catalog import Catalog, ModelEntry, ModelTask
from pixelmend.models.description import ExecutionProfile

MAX_PROBLEM_LENGTH = 300
"""Parsers quote from the files they stumble over; descriptions travel to the API process again and again."""


@dataclass(frozen=True, slots=True)
class Finding:
    """All None: nothing is known. problem: why the file cannot be used, where that is so.
    execution_profile: since the model was first opened.
    """

    task: ModelTask | None = None
    architecture: str | None = None
    scale: int | None = None
    problem: str | None = None
    execution_profile: ExecutionProfile | None = None


@dataclass(frozen=True, slots=True)
class _Fingerprint:
    modified_ns: int
    size_bytes: int
    inode: int


class Findings:
    """Used by all threads of a worker."""

    def __init__(self, read: Callable[[Catalog, str, float | None], LoadedModel] = read_model) -> None:
        self._read = read
        self._lock = Lock()
        self._by_path: dict[Path, tuple[_Fingerprint, Finding]] = {}

    def of(self, entry: ModelEntry) -> Finding:
        """What is known of the file that is there now."""
        now = _fingerprint(entry.path)
        with self._lock:
            then, finding = self._by_path.get(entry.path, (None, Finding()))
        return finding if then == now else Finding()

    def load(self, catalog: Catalog, model_id: str, denoise: float | None = None) -> LoadedModel:
        """As `read_model`, and remember what came of it: a bad file is not read twice."""
        entry = catalog.usable(model_id)
        self._raise_known(entry)
        if denoise is not None:
            self._raise_known(catalog.denoise_partner(model_id))
        # Before it is read: a file that is replaced meanwhile is another one.
        fingerprint = _fingerprint(entry.path)
        try:
            model = self._read(catalog, model_id, denoise)
        except ModelUnusable as error:
            # Of two files it may be the other one that is bad.
            if denoise is None and not _will_pass(error):
                self._keep(entry, fingerprint, Finding(problem=error.message[:MAX_PROBLEM_LENGTH]))
            raise
        known = model.architecture
        profile = self.of(entry).execution_profile
        self._keep(
            entry,
            fingerprint,
            Finding(known.task, known.name, known.scale, execution_profile=profile),
        )
        return model

    def blame(self, entry: ModelEntry, error: ModelUnusable) -> None:
        """It was read, and then it could not be used."""
        self._keep(entry, _fingerprint(entry.path), Finding(problem=error.message[:MAX_PROBLEM_LENGTH]))

    def note_profile(self, entry: ModelEntry, profile: ExecutionProfile) -> None:
        """Of a model that was opened; nothing where its file has changed since."""
        finding = self.of(entry)
        if finding.architecture is not None:
            self._keep(entry, _fingerprint(entry.path), replace(finding, execution_profile=profile))

    def _raise_known(self, entry: ModelEntry) -> None:
        known = self.of(entry)
        if known.problem is not None:
            raise ModelUnusable(known.problem)

    def _keep(self, entry: ModelEntry, fingerprint: _Fingerprint | None, finding: Finding) -> None:
        if fingerprint is not None:
            with self._lock:
                self._by_path[entry.path] = (fingerprint, finding)


def _fingerprint(path: Path) -> _Fingerprint | None:
    """None where the file is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return _Fingerprint(found.st_mtime_ns, found.st_size, found.st_ino)


def _will_pass(error: ModelUnusable) -> bool:
    """It is the system's trouble and not the file's: access, too many open files, memory."""
    cause = error.__cause__
    denied = isinstance(cause, OSError) and cause.errno != errno.EINVAL
    return denied or isinstance(cause, MemoryError) or "can't allocate memory" in str(cause)
