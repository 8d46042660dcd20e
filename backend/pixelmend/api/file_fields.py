"""The fields of a form that take files: where they go, and how large a body with them may be."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from pixelmend.api.service import Service
from pixelmend.api.uploads import FileField
from pixelmend.jobs.intake import MASKS
from pixelmend.tasks.task import JobKind

_NO_TASKS: Mapping[str, tuple[int, str]] = MappingProxyType({})


def file_fields(service: Service, image: Path, mask: Path, kind: JobKind | None) -> dict[str, FileField]:
    """By their names. image, mask: paths in the spool. kind: None if the form names it."""
    settings = service.settings
    films = {
        task.name: (settings.max_video_bytes, "max_video_bytes")
        for task in service.tasks.tasks
        if task.takes_video
    }

    def one(path: Path, of_tasks: Mapping[str, tuple[int, str]] = _NO_TASKS) -> FileField:
        return FileField(
            lambda _: path,
            settings.max_upload_bytes,
            "max_upload_bytes",
            together="one image",
            of_tasks=of_tasks,
        )

    def many(folder: Path) -> FileField:
        return FileField(
            lambda n: _made(folder) / str(n),
            settings.max_batch_bytes,
            "max_batch_bytes",
            settings.max_batch_items,
            together="many images",
        )

    known = {
        "file": one(image, films if kind is None else _NO_TASKS),
        "mask": one(mask),
        "files": many(image),
        "masks": many(image / MASKS),
    }
    return known if kind is None else {name: known[name] for name in kind.file_fields}


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
