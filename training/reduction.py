"""Antialiased bicubic reduction as Matlab's ``imresize`` computes it, which papers on upscaling use."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from training.start import cubic_kernel

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


@lru_cache(maxsize=64)
def reduction_matrix(length: int, scale: int) -> Floats:
    """Weights of ``length`` samples for each reduced one: (length // scale, length), rows sum to 1.

    Keys' kernel (a = -0.5), widened by ``scale`` against aliasing; the border is mirrored, its last sample
    repeated.
    """
    reduced = length // scale
    centres = (np.arange(reduced) + 0.5) * scale - 0.5
    reach = 2 * scale
    offsets = np.arange(-reach, reach + 1)
    places = np.floor(centres)[:, None].astype(np.int64) + offsets[None, :]
    weights = cubic_kernel((places - centres[:, None]) / scale)
    weights /= weights.sum(axis=1, keepdims=True)
    mirrored = np.mod(places, 2 * length)
    mirrored = np.where(mirrored < length, mirrored, 2 * length - 1 - mirrored)
    matrix = np.zeros((reduced, length))
    np.add.at(matrix, (np.arange(reduced)[:, None], mirrored), weights)
    return matrix.astype(np.float32)


def reduce_image(high: Bytes, scale: int) -> Bytes:
    """(s*h, s*w, 3) to (h, w, 3), uint8; rounded to 8 bits once, at the end."""
    height, width, channels = high.shape
    down, across = reduction_matrix(height, scale), reduction_matrix(width, scale)
    rows = (down @ high.reshape(height, -1).astype(np.float32)).reshape(-1, width, channels)
    low = np.matmul(across, rows)
    rounded: Bytes = (np.clip(low, 0.0, 255.0) + np.float32(0.5)).astype(np.uint8)
    return rounded
