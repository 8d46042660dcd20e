"""The compact network: convolutions at the low resolution, then one rearrangement of channels into pixels.

The layout and the names of the tensors are those of the Compact architecture of Real-ESRGAN (SRVGGNetCompact,
Wang et al. 2021), so that whatever loads that architecture loads these weights.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """``hidden`` counts the convolutions between the first and the last."""

    features: int = 64
    hidden: int = 16
    scale: int = 4
    channels: int = 3


class Compact(nn.Module):
    """Low resolution in, high resolution out: (n, c, h, w) to (n, c, scale*h, scale*w), RGB in [0, 1].

    The output is the input enlarged by nearest neighbour plus what the network adds; it is not clamped. The
    sum is done in float32 whatever the convolutions computed in.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        incoming = config.channels
        for index in range(config.hidden + 1):
            layers[str(2 * index)] = nn.Conv2d(incoming, config.features, 3, padding=1)
            layers[str(2 * index + 1)] = nn.PReLU(config.features)
            incoming = config.features
        outgoing = config.channels * config.scale**2
        layers[str(2 * config.hidden + 2)] = nn.Conv2d(incoming, outgoing, 3, padding=1)
        self.body = nn.Sequential(layers)

    def forward(self, low: Tensor) -> Tensor:
        """See the class."""
        added = functional.pixel_shuffle(self.body(low).float(), self.config.scale)
        base = functional.interpolate(low.float(), scale_factor=self.config.scale, mode="nearest")
        total: Tensor = added + base
        return total

    def convolutions(self) -> list[nn.Conv2d]:
        """All convolutions, first to last."""
        return [layer for layer in self.body if isinstance(layer, nn.Conv2d)]

    def activations(self) -> list[nn.PReLU]:
        """All activations, first to last; one fewer than the convolutions."""
        return [layer for layer in self.body if isinstance(layer, nn.PReLU)]


def config_of(state: dict[str, Tensor]) -> NetworkConfig:
    """The configuration a state dictionary was made with."""
    last = max(int(name.split(".")[1]) for name in state)
    features, channels = state["body.0.weight"].shape[:2]
    scale = round((state[f"body.{last}.weight"].shape[0] / channels) ** 0.5)
    return NetworkConfig(features, last // 2 - 1, scale, channels)


def from_state(state: dict[str, Tensor]) -> Compact:
    """A float32 network holding ``state`` (any float type), in evaluation mode."""
    network = Compact(config_of(state))
    network.load_state_dict({name: tensor.to(torch.float32) for name, tensor in state.items()})
    return network.eval()
