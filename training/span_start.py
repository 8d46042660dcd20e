"""Weights that an untrained SPAN network starts with: those that compute bicubic, or a trained network's."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.span import Span, span_config_of, span_from_state, weighed
from training.start import CENTRE, DIAGONALS, bias_of, set_identity, spread_kernels

START_DEVIATION = 2.0
"""The deviation of each convolution's results. SiLU and the attention are neither flat nor linear there."""


@torch.no_grad()
def start_span_as_bicubic(network: Span, generator: torch.Generator) -> None:
    """Overwrite all weights of ``network``: it then computes bicubic; see ``start_as_bicubic``.

    Twelve channels of the first convolution carry four shifted copies of RGB to the last one. All others mix
    the input at random; each convolution is scaled to results of the same deviation on smooth noise (Mishkin
    and Matas 2015), and the last one does not read them yet.
    """
    channels, scale = network.config.channels, network.config.scale
    carried = len(DIAGONALS) * channels
    noise = torch.rand(4, channels, 12, 12, generator=generator)
    picture = functional.interpolate(noise, size=(48, 48), mode="bicubic").clamp(0.0, 1.0)

    first = network.conv_1.eval_conv
    _fill(first, picture - CENTRE, generator)
    for copy, (shift, channel) in enumerate(product(DIAGONALS, range(channels))):
        set_identity(first, copy, channel, shift)
    bias_of(first).copy_(-CENTRE * first.weight.sum(dim=(1, 2, 3)))
    shallow = signal = first(picture)
    results, firsts = [], []
    for block in network.blocks():
        head = functional.silu(_fill(block.c1_r.eval_conv, signal, generator))
        middle = _fill(block.c2_r.eval_conv, head, generator)
        signal = weighed(signal, _fill(block.c3_r.eval_conv, functional.silu(middle), generator))
        results.append(signal)
        firsts.append(head)
    deep = _fill(network.conv_2.eval_conv, signal, generator)
    _fill(network.conv_cat, torch.cat([shallow, deep, results[0], firsts[-1]], dim=1), generator)
    network.conv_cat.weight[:carried] = 0.0
    network.conv_cat.weight[range(carried), range(carried)] = 1.0

    last = network.convolutions()[-1]
    last.weight.zero_()
    bias_of(last).fill_(CENTRE)
    kernels = torch.from_numpy(spread_kernels(scale)).to(last.weight)
    for copy, (down, right) in enumerate(DIAGONALS):
        # The nearest pixel, which Compact has from elsewhere: a quarter from each copy.
        kernels[:, copy, 1 - down, 1 - right] += 1.0 / len(DIAGONALS)
    for copy, channel in product(range(len(DIAGONALS)), range(channels)):
        outputs = slice(channel * scale**2, (channel + 1) * scale**2)
        last.weight[outputs, copy * channels + channel] = kernels[:, copy]


@torch.no_grad()
def start_span_from(network: Span, state: Mapping[str, Tensor]) -> None:
    """Overwrite all weights of ``network`` with those of a trained one, of its own scale or a multiple of it.

    Raises ValueError if the trained network is of another shape.
    """
    trained, wanted = span_config_of(state), network.config
    if (
        trained is None
        or (trained.features, trained.channels) != (wanted.features, wanted.channels)
        or trained.scale % wanted.scale
    ):
        raise ValueError(f"{wanted} cannot start from {trained}")
    scale, side = wanted.scale, trained.scale // wanted.scale
    own = span_from_state(state).state_dict()
    for name in ("upsampler.0.weight", "upsampler.0.bias"):
        squares = own[name].reshape(wanted.channels, scale, side, scale, side, *own[name].shape[1:])
        own[name] = squares.mean(dim=(2, 4)).flatten(0, 2)
    network.load_state_dict(own)


def _fill(convolution: nn.Conv2d, signal: Tensor, generator: torch.Generator) -> Tensor:
    """Random weights, scaled to results of the start's deviation for ``signal``; returns those results."""
    convolution.weight.normal_(generator=generator)
    bias_of(convolution).zero_()
    convolution.weight.mul_(START_DEVIATION / convolution(signal).std())
    result: Tensor = convolution(signal)
    return result
