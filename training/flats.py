"""Greys come out as they went in: a last layer changed by as little as will do.

What a network has learned of flat greys is off by a step or so of 1/255 here and there, which rounding shows
as bands and patterns. On a flat picture the last layer sees one vector of features; so few conditions leave
it nearly as it was, and the change is made where pictures notice it least: along directions that features
hardly take.

Near black and white noise was cut off, so that a restoring network does well to go a little beyond: to hold
it there costs 0.1 dB on photographs with dark parts. One step is left to it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pixelmend.engine.backends.compact import Compact, from_state
from training.last_layer import matrix_of, with_matrix, with_ridge

Bytes = NDArray[np.uint8]

LEVELS = 256
# From here to as far from white greys are exact; nearer they may be one step off. Black and white are exact.
EXACT_FROM = 16
# Rounding to 8 bits forgives half a step; float16 weights and bfloat16 arithmetic need most of it.
FORGIVEN_STEPS, FORGIVEN_NEAR_ENDS = 0.2, 1.4
# Black and white are to be overshot by so much: what is beyond them is clamped.
OVERSHOT_STEPS = 0.8
# A grey that is still wrong counts so much more in the next round.
GROWTH, ROUNDS = 1.5, 40


@torch.inference_mode()
def keep_flats(state: Mapping[str, Tensor], cost: Tensor) -> dict[str, Tensor]:
    """The same network, its last layer changed so that flat greys stay as they are.

    Least squares: what a change d costs, d' ``cost`` d (see ``moment_of``), against what is left to be wrong
    on the 256 greys, of which those count more and more that would not be rounded to the right value.
    Returns float32 tensors.
    """
    network = from_state(dict(state)).float()
    moments = with_ridge(cost / cost.diagonal().mean())
    weights = matrix_of(network)
    changed = weights
    greys = (torch.arange(LEVELS) / 255.0)[:, None].double()
    seen = _flat_columns(network, greys.float().expand(LEVELS, 3))
    forgiven = torch.full((LEVELS,), FORGIVEN_NEAR_ENDS) / 255.0
    forgiven[EXACT_FROM : LEVELS - EXACT_FROM] = FORGIVEN_STEPS / 255.0
    forgiven[[0, -1]] = FORGIVEN_STEPS / 255.0
    wanted = torch.zeros(LEVELS, 1, dtype=torch.float64)
    wanted[0], wanted[-1] = -OVERSHOT_STEPS / 255.0, OVERSHOT_STEPS / 255.0
    counts = torch.full((LEVELS,), 1e-3, dtype=torch.float64)
    for _ in range(ROUNDS):
        error = seen @ changed.T - wanted
        error[0].clamp_(min=0.0)
        error[-1].clamp_(max=0.0)
        wrong = error.abs().amax(dim=1) > forgiven
        if not wrong.any():
            break
        counts[wrong] *= GROWTH
        pull = seen.T * counts
        changed = weights - torch.linalg.solve(moments + pull @ seen, pull @ (seen @ weights.T - wanted)).T
    return with_matrix(network, changed)


def _flat_columns(network: Compact, colours: Tensor) -> Tensor:
    """What the last layer sees far inside flat pictures of ``colours``, (n, 3): (n, 9*features + 1)."""
    values = colours
    for layer, activation in zip(network.convolutions()[:-1], network.activations(), strict=True):
        assert layer.bias is not None
        mixed = values @ layer.weight.sum(dim=(2, 3)).T + layer.bias
        values = functional.prelu(mixed, activation.weight)
    return torch.cat((values.repeat_interleave(9, dim=1), torch.ones(len(values), 1)), 1).double()
