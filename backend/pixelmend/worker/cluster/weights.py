"""Which model files a replica needs from here, by their bytes."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pixelmend.core.errors import UnknownModel
from pixelmend.models.catalog import Catalog, load_catalog
from pixelmend.worker.cluster.transfer import sha256_of
from pixelmend.worker.commands import Command, LoadModel, PinModel, PreloadProfile


def models_of(command: Command) -> tuple[str, ...]:
    """The models that a command opens."""
    match command:
        case LoadModel(model=model) | PinModel(model=model, pinned=True):
            return (model,)
        case PreloadProfile(profile=profile):
            return tuple(profile.models)
        case _:
            return ()


@dataclass(eq=False, slots=True)
class ModelFiles:
    """Dropped-in and downloaded files; what ships with the package is in every replica. Not thread-safe.

    A file is read for its sha256 once, and again when its size or time has changed.
    """

    models_dir: Path
    _known: dict[tuple[Path, int, int], str] = field(default_factory=dict)

    def of(self, models: Iterable[str]) -> list[tuple[Path, str]]:
        """The files of these models and of their partners, with their sha256; blocks."""
        catalog = load_catalog(self.models_dir)
        found: dict[Path, str] = {}
        for model in models:
            for path in _paths(catalog, model):
                stat = path.stat()
                key = (path, stat.st_size, stat.st_mtime_ns)
                if key not in self._known:
                    self._known[key] = sha256_of(path)
                found[path] = self._known[key]
        return list(found.items())


def _paths(catalog: Catalog, model: str) -> list[Path]:
    try:
        entry = catalog.get(model)
        partners = [catalog.get(partner) for partner in entry.partners.values()]
    except UnknownModel:
        return []  # the worker says so itself
    entries = [each for each in (entry, *partners) if each.origin != "embedded"]
    return [path for each in entries for path in each.files if path.is_file()]
