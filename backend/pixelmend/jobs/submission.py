"""Work as it is submitted to the job service, and what is given back for it."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from pixelmend.core.errors import PixelmendError
from pixelmend.imaging.formats import FormatRegistry
from pixelmend.jobs.model import BatchTask, Job, JobRecord
from pixelmend.jobs.spool import ARCHIVE_SUFFIX, Spool
from pixelmend.models.catalog import Catalog, ModelEntry
from pixelmend.tasks.image import ImageTask
from pixelmend.tasks.options import FILL, ImageOptions
from pixelmend.tasks.registry import TaskRegistry

_OPTIONS = TypeAdapter(ImageOptions)


@dataclass(frozen=True, slots=True)
class Submission:
    """Work that was checked and whose input lies in the spool.

    kind: the name of the job's kind. pixels: of the expected result, of all results of a batch.
    model_version: tells one content of the models' files from another.
    is_async: as a job, which goes on when no request waits for it.
    reuse: a finished result will do.
    charge: raises QuotaExceeded; called only if work is really taken on.
    """

    task: ImageTask | BatchTask
    kind: str
    owner: str
    pixels: int
    digest: str
    model_version: str
    is_async: bool
    charge: Callable[[], None]
    reuse: bool = True
    idempotency_key: str | None = None
    file_name: str | None = None
    request_id: str | None = None
    traceparent: str | None = None

    @property
    def content_key(self) -> str:
        options = _OPTIONS.dump_json(self.task.options).decode()
        parts = [self.owner, self.kind, self.digest, options, self.model_version]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def record(self, created_s: float) -> JobRecord:
        """The record of a new job. It is not `is_async` yet: that counts once it is on the disk."""
        return JobRecord(
            id=self.task.id,
            task=self.kind,
            owner=self.owner,
            content_key=self.content_key,
            digest=self.digest,
            options=self.task.options,
            pixels=self.pixels,
            created_s=created_s,
            is_async=False,
            file_name=self.file_name,
            request_id=self.request_id,
            traceparent=self.traceparent,
            items=self.task.items if isinstance(self.task, BatchTask) else (),
        )


def resumed_task(
    record: JobRecord, spool: Spool, tasks: TaskRegistry, formats: FormatRegistry
) -> ImageTask | BatchTask:
    """The work of a job that an earlier run of the service accepted.

    Raises InvalidParameter for a task or a format that there is no longer.
    """
    kind, options, source = tasks.kind(record.task), record.options, spool.input_path(record.id)
    steps = kind.task.steps(options)
    if kind.is_batch:
        output = spool.output_path(record.id, ARCHIVE_SUFFIX)
        return BatchTask(record.id, source, output, options, steps, record.items)
    output = spool.output_path(record.id, kind.task.output(options.format, formats.outputs).suffix)
    mask = spool.mask_path(record.id) if kind.task.takes_mask else None
    parts = spool.parts_path(record.id) if kind.task.is_long else None
    return ImageTask(record.id, source, output, options, steps, mask, parts)


def versions_of(options: ImageOptions, catalog: Catalog) -> str:
    """The versions of all models that take part. Raises UnknownModel."""
    return " ".join(model_version(catalog.get(name)) for name in options.models if name != FILL)


def model_version(entry: ModelEntry) -> str:
    """Changes when another file takes a dropped-in model's place."""
    if entry.sha256 is not None:
        return entry.sha256
    return " ".join(f"{found.st_size} {found.st_mtime_ns}" for found in map(Path.stat, entry.files))


class Lease:
    """A claim to a job and its result; has to be released."""

    def __init__(self, found: Job | JobRecord, release: Callable[[PixelmendError | None], None]) -> None:
        self._found = found
        self._release: Callable[[PixelmendError | None], None] | None = release

    @property
    def record(self) -> JobRecord:
        return self._found if isinstance(self._found, JobRecord) else self._found.record

    @property
    def job(self) -> Job | None:
        """None if the job has ended in the past."""
        return None if isinstance(self._found, JobRecord) else self._found

    def release(self, reason: PixelmendError | None = None) -> None:
        """The last one to go cancels a job that was not asked for as a job, with that reason."""
        release, self._release = self._release, None
        if release is not None:
            release(reason)
