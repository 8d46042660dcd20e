"""Transparency: colours for invisible pixels, and exact values for fully opaque and transparent ones."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelmend.imaging.canvas import Pixels

Plane = NDArray[np.floating[Any]]
"""(H, W, C) float32."""

_BAND_ROWS = 256
"""Even, so that no 2x2 cell is cut."""


def bleed_colour(pixels: Pixels) -> Pixels:
    """Give fully transparent pixels the colour of their visible surroundings.

    Pixels with alpha 0 are often stored as black, and a network that sees them draws a dark fringe around
    every visible edge. Other pixels are returned as they were; alpha is never changed.

    pixels: (H, W, 2) grey + alpha or (H, W, 4) RGBA. Returns the input itself if nothing is transparent.
    """
    hidden = pixels[:, :, -1] == 0
    if not hidden.any() or hidden.all():
        return pixels
    filled = pixels.copy()
    rows, columns = _bounds(hidden)
    # Only the box around the hidden pixels matters, with one pixel of visible context.
    box = np.s_[max(rows[0] - 1, 0) : rows[1] + 2, max(columns[0] - 1, 0) : columns[1] + 2]
    part = pixels[box]
    colour = _pull_push(*_boosted(*_halved_colour(part)))
    rows_hidden, columns_hidden = np.nonzero(hidden[box])
    fill = colour[rows_hidden // 2, columns_hidden // 2]
    filled[box][rows_hidden, columns_hidden, :-1] = np.rint(fill).clip(0, np.iinfo(pixels.dtype).max)
    return filled


def without_opaque_alpha(
    pixels: Pixels, write_rows: Callable[[Pixels], None]
) -> tuple[Pixels, Callable[[Pixels], None]]:
    """Drop an alpha plane that is opaque throughout, so that no network computes it, and add it to the rows
    again.
    """
    top = np.iinfo(pixels.dtype).max
    if pixels.shape[2] not in (2, 4) or not (pixels[:, :, -1] == top).all():
        return pixels, write_rows

    def write_with_alpha(rows: Pixels) -> None:
        whole: Pixels = np.full((*rows.shape[:2], rows.shape[2] + 1), top, rows.dtype)
        whole[:, :, :-1] = rows
        write_rows(whole)

    return pixels[:, :, :-1], write_with_alpha


def snap_alpha(source: NDArray[Any], upscaled: NDArray[Any], scale: int) -> None:
    """Make alpha exactly opaque (or transparent), in place, if the whole neighbourhood in the source is.

    A network may turn 255 into 254, which makes solid areas slightly transparent.
    source: (H, W) alpha of a tile; upscaled: (H*scale, W*scale), same integer dtype, changed in place.
    """
    top = np.iinfo(source.dtype).max
    for value in (0, top):
        solid = _all_in_3x3(source == value)
        if solid.any():
            upscaled[np.repeat(np.repeat(solid, scale, axis=0), scale, axis=1)] = value


def _bounds(mask: NDArray[np.bool_]) -> tuple[tuple[int, int], tuple[int, int]]:
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    return (int(rows[0]), int(rows[-1])), (int(columns[0]), int(columns[-1]))


def _all_in_3x3(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    padded = np.pad(mask, 1, mode="edge")
    across = padded[:, :-2] & padded[:, 1:-1] & padded[:, 2:]
    return across[:-2] & across[1:-1] & across[2:]


def _pull_push(premultiplied: Plane, weight: Plane) -> Plane:
    """Fill by a pyramid of weighted means (pull-push, after Gortler et al., The Lumigraph, 1996).

    premultiplied: (H, W, C) colour times weight; weight: (H, W, 1) in [0, 1]. Returns (H, W, C) colour.
    """
    height, width = weight.shape[:2]
    if height == 1 and width == 1:
        return premultiplied / np.maximum(weight, np.float32(1e-6))
    below = _pull_push(*_boosted(_halve(premultiplied), _halve(weight)))
    below = np.repeat(np.repeat(below, 2, axis=0), 2, axis=1)[:height, :width]
    return premultiplied + below * (np.float32(1) - weight)


def _halved_colour(pixels: Pixels) -> tuple[Plane, Plane]:
    """The first level of the pyramid, made in bands, so that there is no float image of the full size."""
    top = np.float32(np.iinfo(pixels.dtype).max)
    colours, weights = [], []
    for start in range(0, len(pixels), _BAND_ROWS):
        band = pixels[start : start + _BAND_ROWS].astype(np.float32)
        weight = band[:, :, -1:] / top
        colours.append(_halve(band[:, :, :-1] * weight))
        weights.append(_halve(weight))
    return np.concatenate(colours), np.concatenate(weights)


def _boosted(premultiplied: Plane, weight: Plane) -> tuple[Plane, Plane]:
    """Count a cell that is partly visible as wholly visible, so that finer levels count more."""
    boost = np.minimum(np.float32(1), 4 * weight) / np.maximum(weight, np.float32(1e-6))
    return premultiplied * boost, weight * boost


def _halve(values: Plane) -> Plane:
    """Mean of 2x2 cells; the last row or column stands alone if the side is odd."""
    height, width, channels = values.shape
    padded = np.pad(values, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    cells = padded.reshape(-(-height // 2), 2, -(-width // 2), 2, channels)
    mean: Plane = cells.mean(axis=(1, 3), dtype=np.float32)
    return mean
