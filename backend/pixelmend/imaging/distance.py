"""The distance of pixels from a set of pixels, up to a limit."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def distance_to(mask: NDArray[np.bool_], limit_px: int) -> NDArray[np.floating[Any]]:
    """Euclidean distance of each pixel to the nearest one of `mask`, (H, W) float32, 0 on the mask.

    Exact up to `limit_px`, and infinite beyond. Takes time in proportion to the limit.
    """
    squared = np.where(mask, np.float32(0), np.float32(np.inf))
    along = _along_rows(mask, limit_px)
    height = len(mask)
    for shift in range(-limit_px, limit_px + 1):
        if abs(shift) >= height:
            continue
        near = squared[max(0, -shift) : height - max(0, shift)]
        np.minimum(near, along[max(0, shift) : height - max(0, -shift)] + shift**2, out=near)
    squared[squared > limit_px**2] = np.inf
    return np.sqrt(squared)


def _along_rows(mask: NDArray[np.bool_], limit_px: int) -> NDArray[np.floating[Any]]:
    """Squared distance to the nearest set pixel of the same row; infinite beyond the limit."""
    width = mask.shape[1]
    place = np.arange(width, dtype=np.int32)
    far = limit_px + width + 1
    left = np.maximum.accumulate(np.where(mask, place, -far), axis=1)
    right = np.minimum.accumulate(np.where(mask, place, width + far)[:, ::-1], axis=1)[:, ::-1]
    nearest = np.minimum(place - left, right - place).astype(np.float32)
    nearest[nearest > limit_px] = np.inf
    squared: NDArray[np.floating[Any]] = nearest**2
    return squared
