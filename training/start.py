"""Weights that make an untrained compact network compute bicubic interpolation exactly.

A network begun at random has to find colour by itself, and does not: the nearest-neighbour base already
explains most of it. Begun as bicubic it can only improve on bicubic. Three channels carry RGB through all
layers (identity kernels, slope 1, so the activation does nothing); the last hidden layer spreads them into
four copies shifted diagonally by one pixel, over which the 3x3 windows of the last layer reach the 5x5 pixels
that bicubic needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pixelmend.engine.backends.compact import Compact
from pixelmend.engine.weights.compact import config_of

# Carried values are RGB less this: centred values keep more digits in bfloat16, and the zeros that pad
# the border then mean mid grey.
CENTRE = 0.5
SLOPE = 0.25
DIAGONALS = ((-1, -1), (-1, 1), (1, -1), (1, 1))


def cubic_kernel(distance: NDArray[np.float64], a: float = -0.5) -> NDArray[np.float64]:
    """Keys' cubic convolution kernel (Keys 1981, equation 4; a = -0.5 is third-order exact), any shape."""
    x = np.abs(distance)
    near = (a + 2.0) * x**3 - (a + 3.0) * x**2 + 1.0
    far = a * (x**3 - 5.0 * x**2 + 8.0 * x - 4.0)
    kernel: NDArray[np.float64] = np.where(x <= 1.0, near, np.where(x < 2.0, far, 0.0))
    return kernel


def bicubic_taps(scale: int) -> NDArray[np.float64]:
    """Weights of source pixels -2..2 for each sub-pixel: (scale, 5), each row adding up to 1."""
    offsets = (np.arange(scale) + 0.5) / scale - 0.5
    return cubic_kernel(np.arange(-2, 3)[None, :] - offsets[:, None])


def spread_kernels(scale: int) -> NDArray[np.float64]:
    """What the last layer holds: (scale * scale, 4, 3, 3), kernels over the four diagonal copies.

    Their sum is bicubic less nearest. 36 unknowns meet 25 equations; the smallest solution is taken.
    """
    places = list(product(range(-2, 3), repeat=2))
    unknowns = [(shift, tap) for shift in DIAGONALS for tap in product((-1, 0, 1), repeat=2)]
    system = np.zeros((len(places), len(unknowns)))
    for column, (shift, tap) in enumerate(unknowns):
        system[places.index((shift[0] + tap[0], shift[1] + tap[1])), column] = 1.0
    taps = bicubic_taps(scale)
    wanted = np.einsum("iy,jx->yxij", taps, taps).reshape(len(places), scale * scale)
    wanted[places.index((0, 0))] -= 1.0
    solution = np.linalg.lstsq(system, wanted, rcond=None)[0]
    kernels: NDArray[np.float64] = solution.T.reshape(scale * scale, len(DIAGONALS), 3, 3)
    return kernels


@torch.no_grad()
def start_as_bicubic(network: Compact, generator: torch.Generator) -> None:
    """Overwrite all weights of ``network``: it then computes bicubic (a = -0.5).

    The other channels mix the input at random, keep its variance from layer to layer (He et al. 2015, for
    slope 0.25), and are not yet read by the last layer. Needs at least 12 features and one hidden layer.
    Within 2 input pixels of the border the result is that of bicubic as if mid grey lay beyond.
    """
    channels = network.config.channels
    convolutions = network.convolutions()
    for convolution in convolutions[:-1]:
        fan_in = convolution.in_channels * 9
        deviation = (2.0 / (1.0 + SLOPE**2) / fan_in) ** 0.5
        convolution.weight.normal_(0.0, deviation, generator=generator)
        bias_of(convolution).zero_()
    for activation in network.activations():
        activation.weight.fill_(SLOPE)

    first, spread, last = convolutions[0], convolutions[-2], convolutions[-1]
    bias_of(first).copy_(-CENTRE * first.weight.sum(dim=(1, 2, 3)))
    for convolution, activation in zip(convolutions[:-2], network.activations()[:-1], strict=True):
        activation.weight[:channels] = 1.0
        for channel in range(channels):
            set_identity(convolution, channel, channel, (0, 0))
    bias_of(first)[:channels] = -CENTRE
    network.activations()[-1].weight[: channels * len(DIAGONALS)] = 1.0
    for copy, shift in enumerate(DIAGONALS):
        for channel in range(channels):
            set_identity(spread, copy * channels + channel, channel, shift)

    last.weight.zero_()
    bias_of(last).zero_()
    kernels = torch.from_numpy(spread_kernels(network.config.scale)).to(last.weight)
    pixels = network.config.scale**2
    for copy, channel in product(range(len(DIAGONALS)), range(channels)):
        outputs = slice(channel * pixels, (channel + 1) * pixels)
        last.weight[outputs, copy * channels + channel] = kernels[:, copy]


@torch.no_grad()
def start_from(network: Compact, state: Mapping[str, Tensor]) -> None:
    """Overwrite all weights of ``network`` with those of a trained one, of its own scale or a multiple of it.

    Begun from a larger scale it computes what the trained network does, averaged over squares of pixels.
    Raises ValueError if the trained network is of another shape.
    """
    trained, wanted = config_of(state), network.config
    if trained is None or trained.scale % wanted.scale or replace(trained, scale=wanted.scale) != wanted:
        raise ValueError(f"{wanted} cannot start from {trained}")
    tail = f"body.{2 * wanted.hidden + 2}."
    scale, side = wanted.scale, trained.scale // wanted.scale

    def averaged(tensor: Tensor) -> Tensor:
        squares = tensor.float().reshape(wanted.channels, scale, side, scale, side, *tensor.shape[1:])
        return squares.mean(dim=(2, 4)).flatten(0, 2)

    network.load_state_dict({n: averaged(t) if n.startswith(tail) else t.float() for n, t in state.items()})


def set_identity(convolution: nn.Conv2d, outgoing: int, incoming: int, shift: tuple[int, int]) -> None:
    """Let ``outgoing`` be ``incoming`` read ``shift`` (rows, columns) further on."""
    convolution.weight[outgoing] = 0.0
    convolution.weight[outgoing, incoming, 1 + shift[0], 1 + shift[1]] = 1.0
    bias_of(convolution)[outgoing] = 0.0


def bias_of(convolution: nn.Conv2d) -> Tensor:
    """Its bias, which all convolutions here have."""
    assert convolution.bias is not None
    return convolution.bias
