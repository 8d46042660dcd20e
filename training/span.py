"""SPAN, a network that can be trained beside Compact: it costs 0.7 of it per pixel, and its field is wider.

Wan et al. 2023, "Swift Parameter-free Attention Network for Efficient Super-Resolution": six blocks of three
3x3 convolutions, each block weighed by its own last convolution. Here each convolution is the single one that
the paper's three parallel ones fold into. spandrel reads only the unfolded form: see ``to_spandrel``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

BLOCKS = 6
"""Fixed by the paper, and by what spandrel reads."""

GAIN = 2
"""How many times as wide spandrel expects the parallel convolutions to be."""


@dataclass(frozen=True, slots=True)
class SpanConfig:
    """``features``: the channels of all hidden layers, at least 12."""

    features: int = 48
    scale: int = 4
    channels: int = 3


class Folded(nn.Module):
    """A 3x3 convolution, zeros around its input, under the name that spandrel has for the folded ones."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        super().__init__()
        self.eval_conv = nn.Conv2d(incoming, outgoing, 3, padding=1)

    def forward(self, signal: Tensor) -> Tensor:
        """(n, incoming, h, w) to (n, outgoing, h, w)."""
        result: Tensor = self.eval_conv(signal)
        return result


class Block(nn.Module):
    """The paper's SPAB."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.c1_r, self.c2_r, self.c3_r = (Folded(features, features) for _ in range(3))

    def forward(self, signal: Tensor) -> tuple[Tensor, Tensor]:
        """Its result, and that of its first convolution after SiLU, as the authors' code has it."""
        first = functional.silu(self.c1_r(signal))
        third = self.c3_r(functional.silu(self.c2_r(first)))
        return weighed(signal, third), first


def weighed(signal: Tensor, last: Tensor) -> Tensor:
    """A block's result from its input and its last convolution's result, by which it is weighed."""
    return (last + signal) * (torch.sigmoid(last) - 0.5)


class Span(nn.Module):
    """Low resolution in, high resolution out, as ``Compact``; the last convolution computes in float32.

    Unlike Compact it adds nothing to its input: rounding its result to bfloat16 would cost visible steps.
    """

    def __init__(self, config: SpanConfig) -> None:
        super().__init__()
        self.config = config
        features = config.features
        # Tells spandrel that the input is not to be centred and scaled.
        self.register_buffer("no_norm", torch.zeros(1))
        self.conv_1 = Folded(config.channels, features)
        for index in range(BLOCKS):
            setattr(self, f"block_{index + 1}", Block(features))
        self.conv_2 = Folded(features, features)
        self.conv_cat = nn.Conv2d(4 * features, features, 1)
        self.upsampler = nn.ModuleList([nn.Conv2d(features, config.channels * config.scale**2, 3, padding=1)])

    def forward(self, low: Tensor) -> Tensor:
        """See the class."""
        shallow = signal = self.conv_1(low)
        results, firsts = [], []
        for block in self.blocks():
            signal, first = block(signal)
            results.append(signal)
            firsts.append(first)
        seen = torch.cat([shallow, self.conv_2(signal), results[0], firsts[-1]], dim=1)
        with torch.autocast(low.device.type, enabled=False):
            drawn = self.upsampler[0](self.conv_cat(seen.float()))
        picture: Tensor = functional.pixel_shuffle(drawn, self.config.scale)
        return picture

    def blocks(self) -> Iterator[Block]:
        """First to last."""
        for index in range(BLOCKS):
            yield getattr(self, f"block_{index + 1}")

    def convolutions(self) -> list[nn.Conv2d]:
        """All 3x3 convolutions, first to last."""
        inner = [each for block in self.blocks() for each in (block.c1_r, block.c2_r, block.c3_r)]
        folded = [self.conv_1, *inner, self.conv_2]
        return [*(each.eval_conv for each in folded), self.upsampler[0]]  # type: ignore[list-item]


def span_config_of(state: Mapping[str, Tensor]) -> SpanConfig | None:
    """The configuration of a state, folded or spandrel's; None if it is not one of a SPAN without norm."""
    first, last = state.get("conv_1.eval_conv.weight"), state.get("upsampler.0.weight")
    if first is None or last is None or "no_norm" not in state:
        return None
    features, channels = first.shape[:2]
    return SpanConfig(features, round((last.shape[0] / channels) ** 0.5), channels)


def span_from_state(state: Mapping[str, Tensor]) -> Span:
    """A float32 network holding ``state``, folded or spandrel's, in evaluation mode.

    Raises ValueError if ``state`` is not one of a SPAN without norm.
    """
    config = span_config_of(state)
    if config is None:
        raise ValueError("these tensors are not those of a SPAN network without norm")
    network = Span(config)
    network.load_state_dict({name: state[name].float() for name in network.state_dict()})
    return network.eval()


def to_spandrel(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same with parallel convolutions that fold into those of ``state``: what spandrel reads.

    The 3x3 one holds the kernel in its first channels, between two of 1x1 that lead there and back.
    """
    unfolded = dict(state)
    for name, kernel in state.items():
        if not name.endswith("eval_conv.weight"):
            continue
        place = name.removesuffix("eval_conv.weight")
        outgoing, incoming = kernel.shape[:2]
        into = torch.eye(GAIN * incoming, incoming)[:, :, None, None]
        middle = kernel.new_zeros(GAIN * outgoing, GAIN * incoming, 3, 3)
        middle[:outgoing, :incoming] = kernel
        middle_bias = kernel.new_zeros(GAIN * outgoing)
        middle_bias[:outgoing] = state[f"{place}eval_conv.bias"]
        back = torch.eye(outgoing, GAIN * outgoing)[:, :, None, None]
        for part, weight, bias in (
            ("sk", kernel.new_zeros(outgoing, incoming, 1, 1), kernel.new_zeros(outgoing)),
            ("conv.0", into, kernel.new_zeros(GAIN * incoming)),
            ("conv.1", middle, middle_bias),
            ("conv.2", back, kernel.new_zeros(outgoing)),
        ):
            unfolded[f"{place}{part}.weight"] = weight.to(kernel)
            unfolded[f"{place}{part}.bias"] = bias.to(kernel)
    return unfolded
