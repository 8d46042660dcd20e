"""From a weight file to a network, safely: no pickled code runs and nothing half-loaded escapes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from pixelmend.core.errors import ModelUnusable
from pixelmend.engine.backends import compact
from pixelmend.engine.weights.files import StateDict, read_weights
from pixelmend.models.catalog import Catalog, ModelEntry, ModelTask
from pixelmend.models.integrity import checked_file
from pixelmend.models.tile_demands import TileDemands, deep_demands

MAX_QUOTE_LENGTH = 200
"""Libraries may quote every tensor's name in an error."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network on the CPU in FP32, and what is known of it.

    network: maps (N, 3, H, W) float32 in [0, 1] to (N, 3, H*scale, W*scale), not clamped, in the format of
    its weights or wider. If `task` is "inpaint", it maps (N, 4, H, W) to (N, 3, H, W); the last channel of
    its input is 1 in pixels to be removed and 0 in the others.
    receptive_field_px: the distance that information travels; None if it is unbounded or unknown.
    needs_global_context: the output depends on the whole input, so that tiles may differ in tone.
    cpu_only: it computes on the CPU in FP32, on whatever device PyTorch is used.
    """

    name: str
    network: nn.Module
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


def read_model(catalog: Catalog, model_id: str, denoise: float | None = None) -> LoadedModel:
    """Read, check and build a model.

    denoise in [0, 1] mixes the model's weights with those of its partner (deep network interpolation, Wang et
    al. 2018); the catalog says which of the two stands at 1. Raises UnknownModel, ModelUnusable, and
    InvalidParameter if `denoise` is given and the model has no partner.
    """
    entry = catalog.usable(model_id)
    if entry.path.suffix == ".onnx":
        with checked_file(entry.path, entry.sha256) as checked:
            return LoadedModel(entry.id, checked.sha256, _with_onnx_runtime(entry, checked.path))
    state, sha256 = read_weights(entry)
    if denoise is not None:
        other = catalog.denoise_partner(model_id)
        partner, _ = read_weights(other)
        names = f"{entry.path.name} and {other.path.name}"
        state = mix_states(state, partner, entry.own_share(denoise), names)
    built = _compact(state) or _with_spandrel(entry.path.name, state)
    if not all(torch.isfinite(v).all() for v in state.values() if v.is_floating_point()):
        raise ModelUnusable(f"{entry.path.name}: the weights contain NaN or infinity")
    return LoadedModel(entry.id, sha256, built, entry.overlap_px)


def mix_states(own: StateDict, partner: StateDict, own_share: float, names: str) -> StateDict:
    """own_share * own + (1 - own_share) * partner. Raises ModelUnusable if names or shapes differ."""
    if {k: v.shape for k, v in own.items()} != {k: v.shape for k, v in partner.items()}:
        raise ModelUnusable(f"{names}: cannot be mixed, their tensors differ in name or shape")
    return {
        name: torch.lerp(partner[name].float(), tensor.float(), own_share) for name, tensor in own.items()
    }


def _compact(state: StateDict) -> Architecture | None:
    config = compact.config_of(state)
    if config is None or config.channels != 3:
        return None
    network = compact.from_state(state)
    # Each 3x3 convolution at the input's resolution lets information travel one pixel.
    reach_px = len(network.convolutions())
    return Architecture("Compact", network, config.scale, 1, 1, reach_px, True, True)


class _SpandrelNetwork(nn.Module):
    """The model of a descriptor without its final clamp, which would turn infinity into white."""

    def __init__(self, model: nn.Module, call: Callable[[nn.Module, Tensor], Tensor]) -> None:
        super().__init__()
        self.model = model
        self._call = call

    def forward(self, unit: Tensor) -> Tensor:
        return self._call(self.model, unit.to(next(self.model.parameters()).dtype))


class _MaskedNetwork(nn.Module):
    """The same for a network that takes an image and a mask, as one input of four channels."""

    def __init__(self, model: nn.Module, call: Callable[[nn.Module, Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.model = model
        self._call = call

    def forward(self, unit: Tensor) -> Tensor:
        unit = unit.to(next(self.model.parameters()).dtype)
        return self._call(self.model, unit[:, :3], (unit[:, 3:] > 0.5).to(unit.dtype))


def _with_onnx_runtime(entry: ModelEntry, path: Path) -> Architecture:
    from pixelmend.engine.backends.onnx import OnnxInpainter  # imported only for such models

    return Architecture(
        name=entry.architecture or "ONNX",
        network=OnnxInpainter(path, entry.path.name),
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


def _with_spandrel(name: str, state: StateDict) -> Architecture:
    import spandrel  # here, since it takes seconds and a Compact network does not need it

    try:
        descriptor = spandrel.ModelLoader().load_from_state_dict(dict(state))
    except spandrel.UnsupportedModelError as error:
        raise ModelUnusable(f"{name}: the architecture is not known") from error
    except Exception as error:  # spandrel guesses the architecture from the tensors, which may be anything
        why = " ".join(str(error).split())[:MAX_QUOTE_LENGTH]
        raise ModelUnusable(f"{name}: the tensors do not fit the architecture: {why}") from error
    inpaints = isinstance(descriptor, spandrel.MaskedImageModelDescriptor)
    if not inpaints and not isinstance(descriptor, spandrel.ImageModelDescriptor):
        raise ModelUnusable(f"{name}: this model does not upscale; it is for {descriptor.purpose}")
    if (descriptor.input_channels, descriptor.output_channels) != (3, 3):
        raise ModelUnusable(
            f"{name}: maps {descriptor.input_channels} to {descriptor.output_channels} channels, "
            "3 to 3 is needed"
        )
    requirements = descriptor.size_requirements
    if requirements.square:
        raise ModelUnusable(f"{name}: {descriptor.architecture.name} takes square images alone")
    descriptor.eval().float()
    wrapped = _MaskedNetwork if inpaints else _SpandrelNetwork
    return Architecture(
        name=str(descriptor.architecture.id),
        network=wrapped(descriptor.model, descriptor._call_fn).eval(),
        scale=descriptor.scale,
        multiple_of=requirements.multiple_of,
        minimum_px=max(1, requirements.minimum),
        receptive_field_px=None,
        allows_half=descriptor.supports_half,
        allows_bfloat16=descriptor.supports_bfloat16,
        task="inpaint" if inpaints else "upscale",
        needs_global_context=descriptor.tiling is not spandrel.ModelTiling.SUPPORTED,
    )
