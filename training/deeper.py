"""Compact with residual blocks between its layers: too costly to ship, made to teach the one that ships.

It starts as a trained Compact and gives exactly its results: each block's last convolution is zero then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from pixelmend.engine.backends.compact import Compact
from pixelmend.engine.weights.compact import NetworkConfig
from pixelmend.engine.weights.compact import config_of as compact_config_of
from training.start import SLOPE, bias_of

SPACING = 2
"""A block follows every so many hidden convolutions."""


@dataclass(frozen=True, slots=True)
class DeeperConfig:
    """``trunk``: the Compact that it starts as, with an even number of hidden convolutions."""

    trunk: NetworkConfig = field(default_factory=NetworkConfig)

    @property
    def scale(self) -> int:
        """How many times as wide its results are."""
        return self.trunk.scale


class Block(nn.Module):
    """Two 3x3 convolutions beside the identity."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(features, features, 3, padding=1)
        self.bend = nn.PReLU(features)
        self.second = nn.Conv2d(features, features, 3, padding=1)

    def forward(self, signal: Tensor) -> Tensor:
        """(n, features, h, w) to the same shape."""
        result: Tensor = signal + self.second(self.bend(self.first(signal)))
        return result


class Deeper(nn.Module):
    """Low resolution in, high resolution out, as ``Compact``, at twice its cost per pixel."""

    def __init__(self, config: DeeperConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = Compact(config.trunk)
        self.blocks = nn.ModuleList(
            Block(config.trunk.features) for _ in range(config.trunk.hidden // SPACING)
        )

    def forward(self, low: Tensor) -> Tensor:
        """See the class."""
        signal = low
        blocks = iter(self.blocks)
        # A convolution and its activation at a time; the last convolution has none.
        body = list(self.trunk.body)
        for place in range(0, len(body) - 1, 2):
            signal = body[place + 1](body[place](signal))
            if place and place // 2 % SPACING == 0:
                signal = next(blocks)(signal)
        added = functional.pixel_shuffle(body[-1](signal).float(), self.config.scale)
        picture: Tensor = added + functional.interpolate(low, scale_factor=self.config.scale, mode="nearest")
        return picture

    def convolutions(self) -> list[nn.Conv2d]:
        """All convolutions; the trunk's first and last one are the first and the last here."""
        trunk = self.trunk.convolutions()
        inner = [each for block in self.blocks for each in (block.first, block.second)]
        return [*trunk[:-1], *inner, trunk[-1]]  # type: ignore[list-item]


@torch.no_grad()
def start_deeper_from(network: Deeper, state: Mapping[str, Tensor], generator: torch.Generator) -> None:
    """Overwrite all weights of ``network`` with a trained one's, or so that it is a trained Compact.

    Raises ValueError if the trained network is of another shape.
    """
    if deeper_config_of(state) == network.config:
        network.load_state_dict({name: tensor.float() for name, tensor in state.items()})
        return
    if compact_config_of(state) != network.config.trunk:
        raise ValueError(f"{network.config} cannot start from {compact_config_of(state)}")
    network.trunk.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    for block in network.blocks:
        assert isinstance(block, Block)
        deviation = (2.0 / (1.0 + SLOPE**2) / (9 * block.first.in_channels)) ** 0.5
        block.first.weight.normal_(0.0, deviation, generator=generator)
        block.bend.weight.fill_(SLOPE)
        for zeroed in (bias_of(block.first), block.second.weight, bias_of(block.second)):
            zeroed.zero_()


def deeper_config_of(state: Mapping[str, Tensor]) -> DeeperConfig | None:
    """The configuration of a state; None if it is not one of a ``Deeper``."""
    trunk = {name.removeprefix("trunk."): each for name, each in state.items() if name.startswith("trunk.")}
    config = compact_config_of(trunk)
    if config is None:
        return None
    with torch.device("meta"):
        wanted = Deeper(DeeperConfig(config)).state_dict()
    shapes = {name: tensor.shape for name, tensor in wanted.items()}
    return DeeperConfig(config) if shapes == {name: each.shape for name, each in state.items()} else None


def deeper_from_state(state: Mapping[str, Tensor]) -> Deeper:
    """A float32 network holding ``state``, in evaluation mode.

    Raises ValueError if ``state`` is not one of a ``Deeper``.
    """
    config = deeper_config_of(state)
    if config is None:
        raise ValueError("these tensors are not those of a Compact with residual blocks")
    network = Deeper(config)
    network.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    return network.eval()
