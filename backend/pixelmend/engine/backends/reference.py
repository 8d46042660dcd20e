"""The compact network in plain numpy: slow, and so simple that what others compute is compared with it."""

import numpy as np
from numpy.typing import NDArray

from pixelmend.engine.backends.network import Tiles
from pixelmend.engine.weights.compact import CompactNetwork, Layer


def compute(network: CompactNetwork, tiles: Tiles) -> NDArray[np.float32]:
    """In float32: (N, H, W, 3) to (N, H*scale, W*scale, 3) in the range of the tiles, not rounded."""
    top, scale = np.float32(np.iinfo(tiles.dtype).max), network.config.scale
    unit = tiles.astype(np.float32) / top
    values = unit
    with np.errstate(all="ignore"):  # what is not finite is reported by those who compare
        for layer in network.layers:
            values = _computed(values, layer)
        # The last layer's channels are in the order (colour, row, column).
        count, height, width, _ = values.shape
        parts = values.reshape(count, height, width, 3, scale, scale).transpose(0, 1, 4, 2, 5, 3)
        added = parts.reshape(count, height * scale, width * scale, 3)
        base = unit.repeat(scale, axis=1).repeat(scale, axis=2)
        pixels: NDArray[np.float32] = (added + base).clip(0, 1) * top
    return pixels


def _computed(values: NDArray[np.float32], layer: Layer) -> NDArray[np.float32]:
    """(N, H, W, inputs) to (N, H, W, outputs)."""
    _, height, width, _ = values.shape
    padded = np.pad(values, ((0, 0), (1, 1), (1, 1), (0, 0)))
    total: NDArray[np.float32] = np.broadcast_to(layer.bias, (*values.shape[:3], len(layer.bias))).copy()
    for row, column in np.ndindex(layer.weight.shape[2:]):
        total += padded[:, row : row + height, column : column + width] @ layer.weight[:, :, row, column].T
    return total if layer.slopes is None else np.where(total < 0, total * layer.slopes, total)
