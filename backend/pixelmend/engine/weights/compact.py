"""The compact network as arrays of numpy, before an executor computes with it; no other library is needed.

The layout and the names of the tensors are those of the Compact architecture of Real-ESRGAN (SRVGGNetCompact,
Wang et al. 2021): 3x3 convolutions at the low resolution, each but the last followed by a PReLU, then one
rearrangement of channels into pixels, added to the input upscaled by nearest neighbour.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import nn

KERNEL_PX = 3


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """``hidden`` counts the convolutions between the first and the last."""

    features: int = 64
    hidden: int = 16
    scale: int = 4
    channels: int = 3


class Shaped(Protocol):
    """What numpy's arrays and PyTorch's tensors have in common here."""

    @property
    def shape(self) -> Sequence[int]: ...


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution with zeros around its input, and the slopes of the PReLU after it.

    weight: (outputs, inputs, 3, 3). bias: (outputs,). slopes: (outputs,); None after the last convolution.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    slopes: NDArray[np.float32] | None


class CompactNetwork:
    """A compact network that nothing computes with yet. All of its arrays are float32."""

    def __init__(self, config: NetworkConfig, state: Mapping[str, NDArray[Any]]) -> None:
        """state: by the names that `config_of` knows, in any float type."""
        self.config = config
        # Copies: the caller's arrays stay the caller's.
        self.state: dict[str, NDArray[np.float32]] = {
            name: np.array(array, np.float32) for name, array in state.items()
        }

    @property
    def value_count(self) -> int:
        """The number of its weights."""
        return sum(array.size for array in self.state.values())

    @property
    def layers(self) -> tuple[Layer, ...]:
        """First to last."""
        return tuple(
            Layer(
                self.state[f"body.{index}.weight"],
                self.state[f"body.{index}.bias"],
                self.state.get(f"body.{index + 1}.weight"),
            )
            for index in range(0, 2 * self.config.hidden + 3, 2)
        )

    def module(self) -> "nn.Module":
        """The same for PyTorch, which is imported; with tensors of its own."""
        from pixelmend.engine.backends.compact import from_state
        from pixelmend.engine.weights.tensors import as_tensors

        return from_state(as_tensors(self.state))


def config_of(state: Mapping[str, Shaped]) -> NetworkConfig | None:
    """The configuration a state dictionary was made with; None if it is not one of a Compact network."""
    first = state.get("body.0.weight")
    places = [name.split(".")[1] for name in state if name.startswith("body.")]
    if first is None or len(first.shape) != 4 or not all(place.isdecimal() for place in places):
        return None
    last = max(int(place) for place in places)
    features, channels = first.shape[:2]
    outgoing = state.get(f"body.{last}.weight")
    if outgoing is None or not features or not channels or not outgoing.shape:
        return None
    config = NetworkConfig(features, last // 2 - 1, round((outgoing.shape[0] / channels) ** 0.5), channels)
    # Names may claim millions of layers: a state has two tensors for each convolution and one for each PReLU.
    if config.hidden < 0 or config.scale < 1 or len(state) != 3 * config.hidden + 5:
        return None
    return config if {name: tuple(t.shape) for name, t in state.items()} == _shapes(config) else None


def _shapes(config: NetworkConfig) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    incoming = config.channels
    for index in range(0, 2 * config.hidden + 2, 2):
        shapes[f"body.{index}.weight"] = (config.features, incoming, KERNEL_PX, KERNEL_PX)
        shapes[f"body.{index}.bias"] = shapes[f"body.{index + 1}.weight"] = (config.features,)
        incoming = config.features
    outgoing, last = config.channels * config.scale**2, 2 * config.hidden + 2
    shapes[f"body.{last}.weight"] = (outgoing, incoming, KERNEL_PX, KERNEL_PX)
    shapes[f"body.{last}.bias"] = (outgoing,)
    return shapes
