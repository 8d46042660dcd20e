"""What `pixelmend models` tells of model files, and does to them: values and errors, nothing printed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pixelmend.core.errors import InvalidParameter, ModelUnusable
from pixelmend.models.catalog import Catalog, ModelEntry
from pixelmend.models.integrity import verify_file
from pixelmend.models.partial import remove_partial
from pixelmend.models.remote import require_known


@dataclass(frozen=True, slots=True)
class Verdict:
    """problem None: the file is what it should be, or, if no checksum is known, not evidently wrong."""

    entry: ModelEntry
    sha256: str | None
    problem: str | None


def state_of(entry: ModelEntry) -> str:
    """`embedded`, `dropped-in`, `present` or `absent`; a wrong size is seen without reading the file."""
    if entry.origin != "catalog":
        return entry.origin
    if not entry.present:
        return "absent"
    return "present" if entry.size_bytes in (None, size_bytes_of(entry)) else "damaged"


def size_bytes_of(entry: ModelEntry) -> int | None:
    """The size of the file that is here, or else of the one that can be downloaded."""
    return entry.path.stat().st_size if entry.present else entry.size_bytes


def verify(catalog: Catalog, model_ids: Sequence[str]) -> Iterator[Verdict]:
    """Read these files again, or all that are here if no id is given. Raises UnknownModel first."""
    require_known(catalog, model_ids)
    named = [catalog.get(model_id) for model_id in model_ids]
    for entry in named or [entry for entry in catalog.entries if entry.present]:
        try:
            sha256 = verify_file(catalog.usable(entry.id).path, entry.sha256)
        except ModelUnusable as error:
            yield Verdict(entry, None, error.message)
        else:
            yield Verdict(entry, sha256, None)


def remove(catalog: Catalog, model_id: str) -> list[str]:
    """Remove the model's file, and what a broken download has left; returns what was removed.

    Raises UnknownModel, InvalidParameter for a model that ships with the package or has no file, OSError.
    """
    require_known(catalog, [model_id])
    entry = catalog.get(model_id)
    if entry.origin == "embedded":
        raise InvalidParameter(f"model {model_id!r} ships with the package and is not removed")
    removed = []
    if remove_partial(entry.path):
        removed.append(f"{entry.path.name}.part")
    if entry.present:
        for path in entry.files:
            path.unlink(missing_ok=True)
            removed.append(path.name)
    if not removed:
        raise InvalidParameter(f"model {model_id!r} has no file here; it would lie at {entry.path}")
    return removed
