"""Between an image's channels and what a three-channel network takes."""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pixelmend.engine.backends.network import Tiles
from pixelmend.imaging.alpha import snap_alpha
from pixelmend.imaging.canvas import Pixels


def has_alpha(channels: int) -> bool:
    return channels in (2, 4)


def planes_per_tile(channels: int) -> int:
    """Colour (or grey) and alpha are computed as separate items of a batch."""
    return 2 if has_alpha(channels) else 1


def to_planes(tile: Pixels) -> tuple[Tiles, NDArray[np.bool_]]:
    """(H, W, C) to a batch (planes, H, W, 3) and which of its items are a single channel repeated."""
    channels = tile.shape[2]
    colour: NDArray[Any] = tile[:, :, :3] if channels >= 3 else np.repeat(tile[:, :, :1], 3, axis=2)
    if not has_alpha(channels):
        return colour[None], np.array([channels == 1])
    alpha: NDArray[Any] = np.repeat(tile[:, :, -1:], 3, axis=2)
    return np.stack([colour, alpha]), np.array([channels == 2, True])


def from_planes(tile: Pixels, planes: Tiles, scale: int) -> Pixels:
    """The inverse of `to_planes` for the network's output: (H*scale, W*scale, C)."""
    channels = tile.shape[2]
    colour: Pixels = planes[0] if channels >= 3 else planes[0][:, :, :1]
    if not has_alpha(channels):
        return colour
    alpha: NDArray[Any] = planes[1][:, :, 0].copy()
    snap_alpha(tile[:, :, -1], alpha, scale)
    return cast("Pixels", np.concatenate([colour, alpha[:, :, None]], axis=2))
