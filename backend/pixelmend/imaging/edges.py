"""The margin that a network sees beyond the edge of an image."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pixelmend.core.geometry import Rect, Size
from pixelmend.imaging.canvas import Pixels


def read_mirrored(pixels: Pixels, window: Rect, margin_px: int) -> Pixels:
    """A window of the image (H, W, C) continued without end by its mirror images, edge pixels included.

    Networks pad with zeros, that is with black: without a margin a white image gets a grey frame. The
    window's coordinates begin `margin_px` outside the image. It is not copied if it lies inside the image.
    """
    height, width = pixels.shape[:2]
    top, bottom = window.y.start - margin_px, window.y.stop - margin_px
    left, right = window.x.start - margin_px, window.x.stop - margin_px
    if top >= 0 and left >= 0 and bottom <= height and right <= width:
        return pixels[top:bottom, left:right]
    return pixels[np.ix_(_folded(top, bottom, height), _folded(left, right, width))]


def _folded(start: int, stop: int, length: int) -> NDArray[np.intp]:
    """The rows (or columns) of an image of `length` that are mirrored to those from `start` to `stop`."""
    index = np.arange(start, stop) % (2 * length)
    return np.minimum(index, 2 * length - 1 - index)


class MarginCropWriter:
    """A row writer that gets the upscaled image with its margin and passes on the rows without it."""

    def __init__(self, write_rows: Callable[[Pixels], None], size: Size, margin_px: int) -> None:
        """size: of the result, without margins; margin_px: at the result's resolution."""
        self._write_rows = write_rows
        self._size = size
        self._margin_px = margin_px
        self._seen = 0

    def __call__(self, rows: Pixels) -> None:
        first = max(0, self._margin_px - self._seen)
        last = min(len(rows), self._margin_px + self._size.height - self._seen)
        self._seen += len(rows)
        if first < last:
            self._write_rows(rows[first:last, self._margin_px : self._margin_px + self._size.width])
