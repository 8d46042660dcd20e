"""The compact network in PyTorch: on GPUs, in training, and if nothing else computes it right.

It is defined here, and not taken from spandrel, because the last sum has to be done in float32, and because
importing spandrel takes seconds.
"""

from collections import OrderedDict
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from pixelmend.engine.weights.compact import NetworkConfig, config_of


class Compact(nn.Module):
    """Low resolution in, high resolution out: (n, c, h, w) to (n, c, scale*h, scale*w), RGB in [0, 1].

    The output is the input upscaled by nearest neighbour plus what the network adds; it is float32 and not
    clamped. Give it float32: the convolutions compute in their weights' format, the sum in float32.
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
        weights = self.convolutions()[0].weight
        added = functional.pixel_shuffle(self.body(low.to(weights.dtype)).float(), self.config.scale)
        base = functional.interpolate(low.float(), scale_factor=self.config.scale, mode="nearest")
        total: Tensor = added + base
        return total

    def convolutions(self) -> list[nn.Conv2d]:
        """All convolutions, first to last."""
        return [layer for layer in self.body if isinstance(layer, nn.Conv2d)]

    def activations(self) -> list[nn.PReLU]:
        """All activations, first to last; one fewer than the convolutions."""
        return [layer for layer in self.body if isinstance(layer, nn.PReLU)]


def from_state(state: Mapping[str, Tensor]) -> Compact:
    """A float32 network holding `state` (any float type), in evaluation mode.

    Raises ValueError if `state` is not one of a Compact network.
    """
    config = config_of(state)
    if config is None:
        raise ValueError("these tensors are not those of a Compact network with PReLU activations")
    with torch.device("meta"):
        network = Compact(config)  # without random weights, which would be thrown away
    # Copies: the caller's tensors stay the caller's.
    network.load_state_dict(
        {name: tensor.to(torch.float32, copy=True) for name, tensor in state.items()}, assign=True
    )
    return network.eval()
