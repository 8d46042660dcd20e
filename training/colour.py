"""Full-range BT.601 luma and chroma (JFIF's YCbCr), for tensors."""

from __future__ import annotations

import torch
from torch import Tensor

# Rows give Y, Cb and Cr; ITU-R BT.601-7, 2.5, scaled so that chroma spans [-0.5, 0.5].
MATRIX = (
    (0.299, 0.587, 0.114),
    (-0.299 / 1.772, -0.587 / 1.772, 0.5),
    (0.5, -0.587 / 1.402, -0.114 / 1.402),
)


def to_ycc(rgb: Tensor) -> Tensor:
    """(n, 3, h, w) RGB in [0, 1], or a difference of two such, to Y, Cb, Cr of the same shape and scale."""
    matrix = torch.tensor(MATRIX, dtype=rgb.dtype, device=rgb.device)
    return torch.einsum("kc,nchw->nkhw", matrix, rgb)
