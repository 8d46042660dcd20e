"""The last layer of a Compact network as one matrix, which least squares can change.

It is linear: each of its outputs is a row of this matrix times a column of inputs, the 3 x 3 windows
of the features before it, and a 1.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pixelmend.engine.backends.compact import Compact

Bytes = NDArray[np.uint8]

# As a share of the mean of a moment's diagonal.
RIDGE = 1e-6


def matrix_of(network: Compact) -> Tensor:
    """(outputs, 9*features + 1) float64: the weights, and the bias as the last column."""
    last = network.convolutions()[-1]
    assert last.bias is not None
    return torch.cat((last.weight.detach().flatten(1), last.bias.detach()[:, None]), 1).double()


def with_matrix(network: Compact, matrix: Tensor) -> dict[str, Tensor]:
    """The float32 state of ``network`` with ``matrix`` for its last layer; see ``matrix_of``."""
    name = f"body.{2 * network.config.hidden + 2}."
    shape = network.convolutions()[-1].weight.shape
    return {
        **network.state_dict(),
        name + "weight": matrix[:, :-1].reshape(shape).float(),
        name + "bias": matrix[:, -1].float(),
    }


@torch.inference_mode()
def columns_of(network: Compact, low: Bytes) -> Tensor:
    """What the last layer sees of (h, w, 3) uint8, row by row: (9*features + 1, h*w) float32."""
    picture = torch.from_numpy(low.copy()).permute(2, 0, 1)[None].float() / 255.0
    windows = functional.unfold(network.body[:-1](picture), 3, padding=1)[0]
    return torch.cat((windows, torch.ones(1, windows.shape[1])))


def moment_of(columns: Tensor) -> Tensor:
    """The mean of x x' over the columns x: (n, n) float64."""
    exact = columns.double()
    return exact @ exact.T / columns.shape[1]


def with_ridge(moment: Tensor) -> Tensor:
    """``moment`` with a little more on its diagonal: directions that no picture takes stay solvable."""
    return moment + RIDGE * moment.diagonal().mean() * torch.eye(len(moment), dtype=moment.dtype)
