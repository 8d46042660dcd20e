"""The files to download, with their addresses and paths."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pixelmend.core.errors import InvalidParameter, UnknownModel
from pixelmend.models.catalog import Catalog, ModelEntry


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of the catalog. `path`: its place on this machine; `urls`: tried in this order, `origin` among
    them.
    """

    path: Path
    origin: str
    urls: tuple[str, ...]
    size_bytes: int
    sha256: str


def downloadable(catalog: Catalog) -> list[ModelEntry]:
    """The models whose files can be fetched, whether they are here or not."""
    return [entry for entry in catalog.entries if entry.urls]


def plan_downloads(catalog: Catalog, model_ids: Sequence[str], mirror: str = "") -> tuple[RemoteFile, ...]:
    """The files of these models and of the ones that they mix with, each once.

    mirror: an address that has all files under their names, tried first. Raises UnknownModel naming the ids
    there are, and InvalidParameter for a model that has nothing to download.
    """
    wanted: dict[str, RemoteFile] = {}
    for model_id in model_ids:
        entry = _entry(catalog, model_id)
        wanted[entry.id] = _remote(entry, mirror)
        if entry.denoise_partner is not None:
            wanted[entry.denoise_partner] = _remote(catalog.get(entry.denoise_partner), mirror)
    return tuple(wanted.values())


def require_known(catalog: Catalog, model_ids: Iterable[str]) -> None:
    """Raises UnknownModel naming the ids there are, those without a file too."""
    known = [entry.id for entry in catalog.entries]
    for model_id in model_ids:
        if model_id not in known:
            raise UnknownModel(f"model={model_id!r} is not known; there are: {', '.join(known)}")


def _entry(catalog: Catalog, model_id: str) -> ModelEntry:
    require_known(catalog, [model_id])
    entry = catalog.get(model_id)
    if not entry.urls:
        how = "ships with the package" if entry.origin == "embedded" else "is a dropped-in file"
        raise InvalidParameter(f"model {model_id!r} {how}; there is nothing to download")
    return entry


def _remote(entry: ModelEntry, mirror: str) -> RemoteFile:
    if entry.sha256 is None or entry.size_bytes is None:
        raise InvalidParameter(
            f"model {entry.id!r} is here already as {entry.path.name}, which is not the catalog's file; "
            "remove it to download that"
        )
    first = [f"{mirror.rstrip('/')}/{quote(entry.path.name)}"] if mirror else []
    return RemoteFile(entry.path, entry.urls[0], (*first, *entry.urls), entry.size_bytes, entry.sha256)
