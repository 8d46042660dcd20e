"""From a weight file to a network, safely: no pickled code runs and nothing half-loaded escapes."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pixelmend.core.errors import ModelUnusable
from pixelmend.engine.weights import compact, rrdb
from pixelmend.engine.weights.files import State, read_weights
from pixelmend.models.catalog import Catalog, ModelEntry, ModelTask
from pixelmend.models.dials import UNTURNED, Dials
from pixelmend.models.integrity import checked_file
from pixelmend.models.missing_libraries import library_missing
from pixelmend.models.tile_demands import TileDemands, deep_demands

if TYPE_CHECKING:
    from torch import nn


class Network(Protocol):
    """What a weight file describes, before an executor computes with it."""

    @property
    def value_count(self) -> int:
        """The number of its weights."""
        ...

    def module(self) -> "nn.Module":
        """The same for PyTorch, which is imported: on the CPU in FP32, with tensors of its own. It maps
        (N, 3, H, W) float32 in [0, 1] to (N, 3, H*scale, W*scale), not clamped, in the format of its weights
        or wider. If it inpaints, it maps (N, 4, H, W) to (N, 3, H, W); the last channel of its input is 1 in
        pixels to be removed and 0 in the others.
        """
        ...


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network, and what is known of it.

    receptive_field_px: the distance that information travels; None if it is unbounded or unknown.
    needs_global_context: the output depends on the whole input, so that tiles may differ in tone.
    cpu_only: it computes on the CPU in FP32, on whatever device PyTorch is used.
    """

    name: str
    network: Network
    scale: int
    multiple_of: int
    minimum_px: int
    receptive_field_px: int | None
    allows_half: bool
    allows_bfloat16: bool
    task: ModelTask = "upscale"
    needs_global_context: bool = False
    cpu_only: bool = False

    @property
    def channels(self) -> int:
        """The number of channels of its input."""
        return 3 if self.task == "upscale" else 4


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model of the catalog, read and checked. measured_overlap_px: what the catalog says of its tiles."""

    id: str
    sha256: str
    architecture: Architecture
    measured_overlap_px: int | None = None

    @property
    def scale(self) -> int:
        return self.architecture.scale

    @property
    def overlap_px(self) -> int:
        """The receptive field, if it is known: tiled output then equals untiled output."""
        return self._demands.overlap_px

    @property
    def blend_px(self) -> int:
        return self._demands.blend_px

    @property
    def minimum_core_px(self) -> int:
        return self._demands.minimum_core_px

    @property
    def _demands(self) -> TileDemands:
        known = self.architecture
        if known.receptive_field_px is None:
            return deep_demands(known.name, known.multiple_of, self.measured_overlap_px)
        return TileDemands(known.receptive_field_px, 0, 1)


def read_model(
    catalog: Catalog,
    model_id: str,
    dials: Dials = UNTURNED,
    *,
    threads: int = 0,
) -> LoadedModel:
    """Read, check and build a model.

    dials mix the model's weights with those of its partners, one after the other (deep network interpolation,
    Wang et al. 2018). threads: for an executor that is set up while
    the file is read; 0: it decides. Raises UnknownModel, ModelUnusable, and InvalidParameter for a dial that
    the model does not have.
    """
    entry = catalog.usable(model_id)
    if entry.path.suffix == ".onnx":
        with checked_file(entry.path, entry.sha256) as checked:
            return LoadedModel(entry.id, checked.sha256, _with_onnx_runtime(entry, checked.path, threads))
    state, sha256 = read_weights(entry)
    for other in catalog.partners(model_id, dials):
        partner, _ = read_weights(other.entry)
        names = f"{entry.path.name} and {other.entry.path.name}"
        state = mix_states(state, partner, other.share, names)
    built = _built(entry.path.name, state)
    if not all(np.isfinite(array).all() for array in state.values() if array.dtype.kind == "f"):
        raise ModelUnusable(f"{entry.path.name}: the weights contain NaN or infinity")
    return LoadedModel(entry.id, sha256, built, entry.overlap_px)


def mix_states(own: State, partner: State, share: float, names: str) -> State:
    """(1 - share) * own + share * partner, in float32.

    Raises ModelUnusable if names or shapes differ.
    """
    if {k: v.shape for k, v in own.items()} != {k: v.shape for k, v in partner.items()}:
        raise ModelUnusable(f"{names}: cannot be mixed, their tensors differ in name or shape")
    return {name: _interpolated(array, partner[name], share) for name, array in own.items()}


def _interpolated(start: NDArray[Any], end: NDArray[Any], share: float) -> NDArray[np.float32]:
    """As `torch.lerp` computes it in float32: from the nearer end, with one rounding of product and sum."""
    start, end, weight = start.astype(np.float32), end.astype(np.float32), np.float32(share)
    base, factor = (start, weight) if weight < 0.5 else (end, weight - np.float32(1))
    mixed: NDArray[np.float64] = base.astype(np.float64) + np.float64(factor) * (end - start)
    return mixed.astype(np.float32)


def _built(name: str, state: State) -> Architecture:
    config = compact.config_of(state)
    if config is not None and config.channels == 3:
        # Each 3x3 convolution at the input's resolution lets information travel one pixel.
        reach_px = config.hidden + 2
        small = compact.CompactNetwork(config, state)
        return Architecture("Compact", small, config.scale, 1, 1, reach_px, True, True)
    deep = rrdb.config_of(state)
    if deep is not None:
        # As spandrel has it, under its name.
        multiple = 1 if deep.unshuffle == 1 else 4
        large = rrdb.RrdbNetwork(deep, state)
        return Architecture("ESRGAN", large, deep.scale, multiple, max(2, multiple), None, True, True)
    try:
        from pixelmend.engine.weights.spandrel import build  # it takes seconds
    except ImportError as error:
        raise _without_library(name, error) from error
    return build(name, state)


def _with_onnx_runtime(entry: ModelEntry, path: Path, threads: int) -> Architecture:
    try:
        from pixelmend.engine.backends.onnx import OnnxInpainter  # imported only for such models
        from pixelmend.engine.weights.tensors import ModuleNetwork
    except ImportError as error:
        raise _without_library(entry.path.name, error) from error

    return Architecture(
        name=entry.architecture or "ONNX",
        network=ModuleNetwork(OnnxInpainter(path, entry.path.name, threads)),
        scale=1,
        multiple_of=1,
        minimum_px=1,
        receptive_field_px=None,
        allows_half=False,
        allows_bfloat16=False,
        task="inpaint",
        needs_global_context=True,
        cpu_only=True,
    )


def _without_library(name: str, error: ImportError) -> ModelUnusable:
    return ModelUnusable(library_missing(name, error))
