"""The five PNG row filters on whole bands, and the choice between them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Band = NDArray[np.uint8]
"""(1 + rows, row_bytes): row 0 is the row above the band."""

NONE, SUB, UP, AVERAGE, PAETH = range(5)

_SAMPLE_BYTES = 16 * 1024
# Paeth costs twice as much as compressing and was not better than UP and AVERAGE by more than a percent
# on photographs (docs/adr/0003-png-writer.md), so it is not tried.
_CANDIDATES = (UP, SUB, AVERAGE, NONE)


def apply_best(
    band: Band, pixel_bytes: int, deflate: Callable[[NDArray[np.uint8]], bytes]
) -> NDArray[np.uint8]:
    """Filter the band with the filter that makes a sample of its rows deflate best.

    The usual guess, the least sum of absolute differences, picks SUB on upscaled photographs although UP
    deflates 10 % smaller; trying is cheap and sees repetition as well.

    Returns (rows, 1 + row_bytes): each row begins with its filter's number.
    """
    rows = len(band) - 1
    sample_rows = min(rows, max(1, _SAMPLE_BYTES // band.shape[1]))
    start = (rows - sample_rows) // 2
    sample = band[start : start + sample_rows + 1]
    best = min(_CANDIDATES, key=lambda kind: len(deflate(apply(kind, sample, pixel_bytes))))
    return apply(best, band, pixel_bytes)


def apply(kind: int, band: Band, pixel_bytes: int) -> NDArray[np.uint8]:
    """Filter every row of the band with one filter. Returns (rows, 1 + row_bytes)."""
    current, above = band[1:], band[:-1]
    out = np.empty((len(current), 1 + band.shape[1]), np.uint8)
    out[:, 0] = kind
    body = out[:, 1:]
    if kind == NONE:
        body[...] = current
    elif kind == UP:
        np.subtract(current, above, out=body)
    elif kind == SUB:
        body[:, :pixel_bytes] = current[:, :pixel_bytes]
        np.subtract(current[:, pixel_bytes:], current[:, :-pixel_bytes], out=body[:, pixel_bytes:])
    elif kind == AVERAGE:
        # floor((left + above) / 2) without leaving 8 bits: the common bits plus half the differing ones
        left, over = current[:, :-pixel_bytes], above[:, pixel_bytes:]
        np.subtract(current[:, :pixel_bytes], above[:, :pixel_bytes] >> 1, out=body[:, :pixel_bytes])
        predicted = np.bitwise_xor(left, over)
        predicted >>= 1
        predicted += left & over
        np.subtract(current[:, pixel_bytes:], predicted, out=body[:, pixel_bytes:])
    elif kind == PAETH:
        np.subtract(current, _paeth(current, above, pixel_bytes), out=body)
    else:
        raise ValueError(f"there is no PNG filter {kind}")
    return out


def _paeth(current: NDArray[np.uint8], above: NDArray[np.uint8], pixel_bytes: int) -> NDArray[np.uint8]:
    left, corner = np.zeros(current.shape, np.int16), np.zeros(current.shape, np.int16)
    left[:, pixel_bytes:] = current[:, :-pixel_bytes]
    corner[:, pixel_bytes:] = above[:, :-pixel_bytes]
    over = above.astype(np.int16)
    to_left = np.abs(over - corner)
    to_over = np.abs(left - corner)
    to_corner = np.abs(left + over - 2 * corner)
    choice = np.where(to_over <= to_corner, over, corner)
    return np.where((to_left <= to_over) & (to_left <= to_corner), left, choice).astype(np.uint8)
