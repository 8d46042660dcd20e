"""Compact and RRDBNet in plain numpy: slow, and so simple that what others compute is compared with it."""

import numpy as np
from numpy.typing import NDArray

from pixelmend.engine.backends.network import Tiles
from pixelmend.engine.weights.compact import CompactNetwork, Layer
from pixelmend.engine.weights.rrdb import RrdbNetwork
from pixelmend.models.ncnn_state import DENSE_BLOCKS, DENSE_CONVOLUTIONS, LEAKY_SLOPE, RESIDUAL_SCALE

Floats = NDArray[np.float32]


def compute(network: CompactNetwork | RrdbNetwork, tiles: Tiles) -> Floats:
    """In float32: (N, H, W, 3) to (N, H*scale, W*scale, 3) in the range of the tiles, not rounded."""
    top = np.float32(np.iinfo(tiles.dtype).max)
    unit = tiles.astype(np.float32) / top
    with np.errstate(all="ignore"):  # what is not finite is reported by those who compare
        values = _compact(network, unit) if isinstance(network, CompactNetwork) else _rrdb(network, unit)
        pixels: Floats = values.clip(0, 1) * top
    return pixels


def _compact(network: CompactNetwork, unit: Floats) -> Floats:
    scale = network.config.scale
    values = unit
    for layer in network.layers:
        values = _computed(values, layer)
    # The last layer's channels are in the order (colour, row, column).
    count, height, width, _ = values.shape
    parts = values.reshape(count, height, width, 3, scale, scale).transpose(0, 1, 4, 2, 5, 3)
    return parts.reshape(count, height * scale, width * scale, 3) + _enlarged(unit, scale)


def _rrdb(network: RrdbNetwork, unit: Floats) -> Floats:
    layers = iter(network.convolutions())

    def convolved(values: Floats, slope: float | None = None) -> Floats:
        weight, bias = next(layers)
        return _computed(values, Layer(weight, bias, None if slope is None else np.full_like(bias, slope)))

    config = network.config
    shallow = values = convolved(_unshuffled(unit, config.unshuffle))
    for _ in range(config.blocks):
        entry = values
        for _ in range(DENSE_BLOCKS):
            seen = [values]
            for _ in range(DENSE_CONVOLUTIONS - 1):
                seen.append(convolved(np.concatenate(seen, axis=3), LEAKY_SLOPE))
            values = values + np.float32(RESIDUAL_SCALE) * convolved(np.concatenate(seen, axis=3))
        values = entry + np.float32(RESIDUAL_SCALE) * values
    values = shallow + convolved(values)
    for _ in range(config.doublings):
        values = convolved(_enlarged(values, 2), LEAKY_SLOPE)
    return convolved(convolved(values, LEAKY_SLOPE))


def _computed(values: Floats, layer: Layer) -> Floats:
    """(N, H, W, inputs) to (N, H, W, outputs)."""
    _, height, width, _ = values.shape
    padded = np.pad(values, ((0, 0), (1, 1), (1, 1), (0, 0)))
    total: Floats = np.broadcast_to(layer.bias, (*values.shape[:3], len(layer.bias))).copy()
    for row, column in np.ndindex(layer.weight.shape[2:]):
        total += padded[:, row : row + height, column : column + width] @ layer.weight[:, :, row, column].T
    return total if layer.slopes is None else np.where(total < 0, total * layer.slopes, total)


def _enlarged(values: Floats, factor: int) -> Floats:
    return values.repeat(factor, axis=1).repeat(factor, axis=2)


def _unshuffled(values: Floats, factor: int) -> Floats:
    """(N, H, W, C) to (N, H/factor, W/factor, C*factor*factor), channels in the order (C, row, column)."""
    count, height, width, channels = values.shape
    parts = values.reshape(count, height // factor, factor, width // factor, factor, channels)
    return parts.transpose(0, 1, 3, 5, 2, 4).reshape(count, height // factor, width // factor, -1)
