"""Continues edges and shades through a hole, by sparse representation in overlapping DCT blocks.

Alternating a hard threshold, lowered step by step, with the known pixels (Guleryuz, Nonlinear approximation
based image recovery, 2006): if few coefficients explain a block's known part, they
continue it into the unknown one. Blocks reach a few pixels; the pyramid does the rest.
"""

import numpy as np
from numpy.typing import NDArray

from pixelmend.imaging.inpainting.pyramid import Mask, Plane

BLOCK_PX = 16
_STEP_PX = 4
_ROUNDS = 20
_FIRST_THRESHOLD = 200.0
_LAST_THRESHOLD = 4.0
"""For values up to 255: docs/adr/0014-inpainting-fill.md compares others."""
_LEAST_BLOCK_PX = 4


def continued(start: Plane, hole: Mask, active: Mask) -> Plane:
    """Continue the surroundings into the active part of the hole.

    start: (H, W, C) float32 for values up to 255, with a guess inside the hole. active: (H, W), part of the
    hole; the rest of it keeps its guess. Returns a new array.
    """
    height, width, channels = start.shape
    block = min(BLOCK_PX, height, width)
    if block < _LEAST_BLOCK_PX or not active.any():
        return start.copy()
    mixing = _cosines(channels)  # decorrelates the colours
    planes = np.ascontiguousarray((start.reshape(-1, channels) @ mixing.T).T)
    corners = _blocks_touching(active, block)
    inside = np.arange(block)[:, None] * width + np.arange(block)
    index = corners[:, None] + inside.ravel()
    holes = hole.ravel()[index]
    wanted = active.ravel()[index]
    number = np.cumsum(active.ravel()) - 1
    targets = number[index[wanted]]
    count = int(active.sum())
    known_share = np.float32(1.02) - holes.mean(axis=1, dtype=np.float32)
    basis = np.kron(_cosines(block), _cosines(block))
    for threshold in np.geomspace(_FIRST_THRESHOLD, _LAST_THRESHOLD, _ROUNDS):
        coefficients = planes[:, index] @ basis.T
        kept = np.abs(coefficients) > threshold
        kept[:, :, 0] = True
        coefficients *= kept
        # A block that few coefficients explain gets more weight (Guleryuz, part II).
        weights = known_share / (1 + kept.sum(axis=(0, 2)))
        spread = np.broadcast_to(weights[:, None], wanted.shape)[wanted]
        total = np.bincount(targets, spread, count)
        for plane, values in zip(planes, coefficients @ basis, strict=True):
            plane[active.ravel()] = np.bincount(targets, spread * values[wanted], count) / total
    return (planes.T @ mixing).reshape(start.shape)


def _cosines(size: int) -> Plane:
    """The orthonormal DCT-II of `size` values as a matrix."""
    frequency, place = np.arange(size)[:, None], np.arange(size)
    matrix = np.sqrt(2 / size) * np.cos(np.pi * (2 * place + 1) * frequency / (2 * size))
    matrix[0] /= np.sqrt(2)
    cosines: Plane = matrix.astype(np.float32)
    return cosines


def _blocks_touching(mask: Mask, block: int) -> NDArray[np.intp]:
    """Flat indices of the top left pixels of the blocks, on a grid that reaches all edges."""
    height, width = mask.shape
    sums = np.pad(mask.astype(np.int32).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    counts = sums[block:, block:] - sums[:-block, block:] - sums[block:, :-block] + sums[:-block, :-block]
    rows, columns = (
        np.unique(np.append(np.arange(0, side - block, _STEP_PX), side - block)) for side in (height, width)
    )
    grid = np.ix_(rows, columns)
    touching = counts[grid] > 0
    corners: NDArray[np.intp] = (rows[:, None] * width + columns)[touching]
    return corners
