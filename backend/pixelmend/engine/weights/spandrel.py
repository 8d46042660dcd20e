"""Networks of all architectures that spandrel knows by their tensors."""

from collections.abc import Callable

import spandrel
from torch import Tensor, nn

from pixelmend.core.errors import ModelUnusable
from pixelmend.engine.weights.architecture import Architecture
from pixelmend.engine.weights.files import State
from pixelmend.engine.weights.tensors import ModuleNetwork, as_tensors

MAX_QUOTE_LENGTH = 200
"""Libraries may quote every tensor's name in an error."""


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


def build(name: str, state: State) -> Architecture:
    """The network that has these tensors. name: of the file. Raises ModelUnusable."""
    try:
        descriptor = spandrel.ModelLoader().load_from_state_dict(as_tensors(state))
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
        network=ModuleNetwork(wrapped(descriptor.model, descriptor._call_fn).eval()),
        scale=descriptor.scale,
        multiple_of=requirements.multiple_of,
        minimum_px=max(1, requirements.minimum),
        receptive_field_px=None,
        allows_half=descriptor.supports_half,
        allows_bfloat16=descriptor.supports_bfloat16,
        task="inpaint" if inpaints else "upscale",
        needs_global_context=descriptor.tiling is not spandrel.ModelTiling.SUPPORTED,
    )
