"""What a network sees beyond the edge of an image."""

from collections.abc import Callable
from typing import cast

import numpy as np

from pixelmend.imaging.canvas import Pixels
from pixelmend.imaging.geometry import Size

EDGE_MARGIN_PX = 8
"""From 6 px on the zeros that pad the convolutions leave no trace in flat areas (docs/adr/0004-edges.md)."""


def mirror_edges(pixels: Pixels, margin_px: int = EDGE_MARGIN_PX) -> Pixels:
    """(H, W, C) to (H + 2 margin, W + 2 margin, C), continued by its mirror image.

    Networks pad with zeros, that is with black: without a margin a white picture gets a grey frame.
    """
    beyond = ((margin_px, margin_px), (margin_px, margin_px), (0, 0))
    return cast("Pixels", np.pad(pixels, beyond, mode="symmetric"))


class WithoutMargin:
    """A row writer that takes the enlargement of a mirrored image and passes on what lies inside."""

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
