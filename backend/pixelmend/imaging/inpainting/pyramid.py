"""An image with a hole at ever coarser resolution, and planes blurred and measured in numpy."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.floating[Any]]
"""float32: (H, W), or (H, W, C) for an image."""
Mask = NDArray[np.bool_]
"""(H, W)."""


@dataclass(frozen=True, slots=True)
class Level:
    """pixels: (H, W, C) float32, any finite value inside the hole; hole: (H, W)."""

    pixels: Plane
    hole: Mask


def levels_of(pixels: Plane, hole: Mask) -> list[Level]:
    """The image itself first, then halved until no hole is left or the image is one pixel.

    A coarse pixel is the mean of the known pixels below it, and a hole if those are the lesser part: a
    hole of any size is a narrow one somewhere in the pyramid.
    """
    weight = (~hole).astype(np.float32)
    levels = [Level(pixels, hole)]
    while levels[-1].hole.any() and max(hole.shape) > 1:
        pixels, weight = weighted_halves(pixels, weight)
        hole = weight < 0.5
        levels.append(Level(pixels, hole))
    return levels


def halved(pixels: Plane) -> Plane:
    """(H, W, C) at half its size, rounded up."""
    return weighted_halves(pixels, np.ones(pixels.shape[:2], np.float32))[0]


def doubled(coarse: Plane, shape: tuple[int, ...]) -> Plane:
    """Bilinear interpolation of (H, W, C) to twice its size, cut to the height and width of `shape`."""
    return _doubled_rows(_doubled_rows(coarse, shape[0]).swapaxes(0, 1), shape[1]).swapaxes(0, 1)


def blurred(plane: Plane, sigma_px: float) -> Plane:
    """Gaussian blur of (H, W) or (H, W, C) along both axes; the edge is repeated outside."""
    reach = int(np.ceil(3 * sigma_px))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_px) ** 2)
    taps = (taps / taps.sum()).astype(np.float32)
    for axis in (0, 1):
        widths = [(reach, reach) if i == axis else (0, 0) for i in range(plane.ndim)]
        padded = np.moveaxis(np.pad(plane, widths, mode="edge"), axis, 0)
        length = plane.shape[axis]
        total = np.zeros((length, *padded.shape[1:]), np.float32)
        for i, tap in enumerate(taps):
            total += tap * padded[i : i + length]
        plane = np.moveaxis(total, 0, axis)
    return plane


def dilated(mask: Mask, radius_px: int) -> Mask:
    """True if the square of `radius_px` around a pixel touches the mask."""
    side = 2 * radius_px + 1
    sums = np.pad(np.pad(mask, radius_px).astype(np.int32).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    counts = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    touched: Mask = counts > 0
    return touched


def weighted_halves(pixels: Plane, weight: Plane) -> tuple[Plane, Plane]:
    """Means of 2x2 cells by weight, and the mean weights; an odd last row or column stands alone.

    pixels: (H, W, C) float32; weight: (H, W) in [0, 1].
    """
    height, width = weight.shape
    odd = ((0, height % 2), (0, width % 2))
    weights = np.pad(weight, odd)[:, :, None]
    colours = np.pad(pixels, (*odd, (0, 0))) * weights
    total = _cell_sums(weights)
    # cells at an odd edge have fewer than four pixels, and are as good as others
    share = total / _cell_sums(np.pad(np.ones_like(weight), odd)[:, :, None])
    return _cell_sums(colours) / np.maximum(total, np.float32(1e-6)), share[:, :, 0]


def _cell_sums(values: Plane) -> Plane:
    return values[::2, ::2] + values[1::2, ::2] + values[::2, 1::2] + values[1::2, 1::2]


def _doubled_rows(values: Plane, length: int) -> Plane:
    padded = np.concatenate([values[:1], values, values[-1:]])
    result = np.empty((2 * len(values), *values.shape[1:]), np.float32)
    result[::2] = 0.25 * padded[:-2] + 0.75 * padded[1:-1]
    result[1::2] = 0.75 * padded[1:-1] + 0.25 * padded[2:]
    return result[:length]
