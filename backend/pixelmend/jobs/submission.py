"""Work as it is handed in at the desk, and what is handed back for it."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import TypeAdapter

from pixelmend.core.errors import PixelmendError
from pixelmend.jobs.live import LiveJob
from pixelmend.jobs.model import BatchTask, JobRecord
from pixelmend.models.catalog import Catalog, ModelEntry
from pixelmend.tasks.image import ImageTask
from pixelmend.tasks.options import FILL, ImageOptions

_OPTIONS = TypeAdapter(ImageOptions)


@dataclass(frozen=True, slots=True)
class Submission:
    """Work that was checked and whose input lies in the spool.

    kind: the name of the job's kind. pixels: of the expected result, of all results of a batch.
    model_version: tells one content of the models' files from another.
    asked: as a job, which goes on when nobody waits for it.
    reuse: a finished result will do.
    charge: raises QuotaExceeded; called only where work is really taken on.
    """

    task: ImageTask | BatchTask
    kind: str
    owner: str
    pixels: int
    digest: str
    model_version: str
    asked: bool
    charge: Callable[[], None]
    reuse: bool = True
    idempotency_key: str | None = None
    file_name: str | None = None
    request_id: str | None = None

    @property
    def content_key(self) -> str:
        options = _OPTIONS.dump_json(self.task.options).decode()
        parts = [self.owner, self.kind, self.digest, options, self.model_version]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def versions_of(options: ImageOptions, catalog: Catalog) -> str:
    """Of all models that take part. Raises UnknownModel."""
    return " ".join(model_version(catalog.get(name)) for name in options.models if name != FILL)


def model_version(entry: ModelEntry) -> str:
    """Changes when another file takes a dropped-in model's place."""
    if entry.sha256 is not None:
        return entry.sha256
    found = entry.path.stat()
    return f"{found.st_size} {found.st_mtime_ns}"


class Lease:
    """Somebody who wants a job and its result now; has to be released."""

    def __init__(self, found: LiveJob | JobRecord, release: Callable[[PixelmendError | None], None]) -> None:
        self._found = found
        self._release: Callable[[PixelmendError | None], None] | None = release

    @property
    def record(self) -> JobRecord:
        return self._found if isinstance(self._found, JobRecord) else self._found.record

    @property
    def live(self) -> LiveJob | None:
        """None where the job has ended in the past."""
        return None if isinstance(self._found, JobRecord) else self._found

    def release(self, reason: PixelmendError | None = None) -> None:
        """The last one to go cancels, with that reason, a job that was not asked for as a job."""
        release, self._release = self._release, None
        if release is not None:
            release(reason)
