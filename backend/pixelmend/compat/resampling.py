"""Resizing with the values that OpenCV's `resize` gives: kernels that do not widen when a picture shrinks."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pixelmend.imaging.canvas import Pixels

_Plane = NDArray[np.floating[Any]]


def lanczos4(pixels: Pixels, width: int, height: int) -> Pixels:
    """As INTER_LANCZOS4, to one step of 8 bits. pixels: (H, W, C) uint8 or uint16."""
    return _resized(pixels, width, height, 4, lambda x: np.sinc(x) * np.sinc(x / 4))


def linear(pixels: Pixels, width: int, height: int) -> Pixels:
    """As INTER_LINEAR."""
    return _resized(pixels, width, height, 1, lambda x: 1 - np.abs(x))


def _resized(
    pixels: Pixels, width: int, height: int, radius: int, kernel: Callable[[_Plane], _Plane]
) -> Pixels:
    """radius: half of the number of pixels that one of the result is made of, each way."""
    taken, shares = _taps(pixels.shape[0], height, radius, kernel)
    rows = np.zeros((height, *pixels.shape[1:]), np.float32)
    for index, share in zip(taken.T, shares.T, strict=True):
        rows += pixels[index] * share[:, None, None]
    taken, shares = _taps(pixels.shape[1], width, radius, kernel)
    result = np.zeros((height, width, pixels.shape[2]), np.float32)
    for index, share in zip(taken.T, shares.T, strict=True):
        result += rows[:, index] * share[:, None]
    whole = np.rint(result).clip(0, np.iinfo(pixels.dtype).max).astype(pixels.dtype)
    return cast("Pixels", whole)


def _taps(
    length: int, target: int, radius: int, kernel: Callable[[_Plane], _Plane]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """For each of the `target` positions the pixels that it is made of, and their shares; (target, 2 radius).
    Beyond the edge its pixels are repeated.
    """
    at = (np.arange(target) + 0.5) * length / target - 0.5
    index = np.floor(at).astype(np.intp)[:, None] + np.arange(1 - radius, radius + 1)
    shares = kernel(at[:, None] - index)
    shares /= shares.sum(axis=1, keepdims=True)
    return index.clip(0, length - 1), shares.astype(np.float32)
