"""Grey comes out exactly as it went in: a last layer changed by as little as will do.

What a network has learned of flat greys is off by a step or two of 1/255 here and there, which rounding
shows as bands and patterns. On a flat picture the last layer sees one vector of features; so few conditions
leave it nearly as it was, and the change is made where pictures notice it least: along directions that
features hardly take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pixelmend.engine.compact import Compact, from_state

Bytes = NDArray[np.uint8]

# How much more the mean over flat greys counts than the mean over pictures.
GREY_WEIGHT = 100.0


@torch.inference_mode()
def keep_flats(state: Mapping[str, Tensor], lows: Sequence[Bytes]) -> dict[str, Tensor]:
    """The same network, its last layer changed so that flat greys stay as they are.

    Least squares: the mean square of the change over the pictures ``lows``, (h, w, 3) uint8, against that of
    what is left to be wrong on the 256 greys. Returns float32 tensors.
    """
    network = from_state(dict(state)).float()
    last = network.convolutions()[-1]
    assert last.bias is not None
    moments = torch.stack([_moment(network, low) for low in lows]).mean(dim=0)
    moments += moments.diagonal().mean() * 1e-6 * torch.eye(len(moments), dtype=torch.float64)
    weights = torch.cat((last.weight.flatten(1), last.bias[:, None]), 1).double()
    seen = _flat_columns(network, (torch.arange(256) / 255.0)[:, None].expand(256, 3))
    pull = GREY_WEIGHT / len(seen) * seen.T
    change = torch.linalg.solve(moments + pull @ seen, pull @ (seen @ weights.T)).T
    changed = (weights - change).float()
    name = f"body.{2 * network.config.hidden + 2}."
    return {
        **network.state_dict(),
        name + "weight": changed[:, :-1].reshape(last.weight.shape),
        name + "bias": changed[:, -1].contiguous(),
    }


def _moment(network: Compact, low: Bytes) -> Tensor:
    """The mean of x x' over the x that the last layer sees: 3 x 3 windows of features, and a 1."""
    picture = torch.from_numpy(low.copy()).permute(2, 0, 1)[None].float() / 255.0
    windows = functional.unfold(network.body[:-1](picture), 3, padding=1)[0].T
    columns = torch.cat((windows, torch.ones(len(windows), 1)), 1).double()
    return columns.T @ columns / len(columns)


def _flat_columns(network: Compact, colours: Tensor) -> Tensor:
    """What the last layer sees far inside flat pictures of ``colours``, (n, 3): (n, 9*features + 1)."""
    values = colours
    for layer, activation in zip(network.convolutions()[:-1], network.activations(), strict=True):
        assert layer.bias is not None
        mixed = values @ layer.weight.sum(dim=(2, 3)).T + layer.bias
        values = functional.prelu(mixed, activation.weight)
    return torch.cat((values.repeat_interleave(9, dim=1), torch.ones(len(values), 1)), 1).double()
