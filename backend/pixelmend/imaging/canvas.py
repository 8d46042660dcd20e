"""Stitches tile results into finished rows, keeping no more than one row of tiles in memory."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelmend.imaging.tiling import AxisTile, Tile, TilePlan

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
"""(H, W, C), straight alpha, full range of the dtype."""


class Canvas:
    """Takes the outputs of a plan's tiles in order and hands finished rows to `write_rows`.

    If the plan cuts hard, values are copied as they are. If it blends, the mixed band is summed in
    float32 with linear ramps that add up to one, and rounded once.
    """

    def __init__(
        self,
        plan: TilePlan,
        scale: int,
        channels: int,
        dtype: np.dtype[Any],
        write_rows: Callable[[Pixels], None],
    ) -> None:
        self._plan = plan
        self._scale = scale
        self._write_rows = write_rows
        self._width = plan.size.width * scale
        self._channels = channels
        self._dtype = dtype
        self._blends = plan.blend_px > 0
        self._next_index = 0
        self._strip: NDArray[Any] | None = None
        self._carried: NDArray[Any] | None = None

    def put(self, tile: Tile, output: Pixels) -> None:
        """Add the output of `tile`: (window height * scale, window width * scale, C) of the canvas's dtype.

        Tiles arrive in the plan's order; anything else is a programming error (ValueError).
        """
        if tile.index != self._next_index:
            raise ValueError(f"tile {tile.index} arrived when {self._next_index} was due")
        if self._strip is None:
            self._strip = self._new_strip(tile.row)
        rows = tile.row.paste.shift(-tile.row.window.start).scale(self._scale)
        columns = tile.column.paste.shift(-tile.column.window.start).scale(self._scale)
        part = output[rows.as_slice(), columns.as_slice()]
        target = self._strip[:, tile.column.paste.scale(self._scale).as_slice()]
        if self._blends:
            weights = self._ramp(tile.row)[:, None] * self._ramp(tile.column)[None, :]
            target += part * weights[:, :, None]
        else:
            target[...] = part
        self._next_index += 1
        if self._next_index % len(self._plan.columns) == 0:
            self._finish_row(tile.row)

    def _new_strip(self, row: AxisTile) -> NDArray[Any]:
        shape = (row.paste.length * self._scale, self._width, self._channels)
        if not self._blends:
            return np.empty(shape, self._dtype)
        strip = np.zeros(shape, np.float32)
        if self._carried is not None:
            strip[: len(self._carried)] = self._carried
        return strip

    def _finish_row(self, row: AxisTile) -> None:
        strip, self._strip = self._strip, None
        assert strip is not None
        # Rows below the core's end minus the blend are still mixed with the next row of tiles.
        open_rows = 2 * (row.paste.stop - row.core.stop) * self._scale
        done = len(strip) - open_rows
        self._carried = strip[done:].copy() if open_rows else None
        finished = strip[:done]
        if self._blends:
            finished = np.rint(finished).clip(0, np.iinfo(self._dtype).max).astype(self._dtype)
        self._write_rows(finished)

    def _ramp(self, tile: AxisTile) -> NDArray[np.float32]:
        """Weights over `paste` at output resolution: 1 inside, linear towards each blended side."""
        weights = np.ones(tile.paste.length * self._scale, np.float32)
        for width_px, edge in (
            (2 * (tile.core.start - tile.paste.start), slice(None)),
            (2 * (tile.paste.stop - tile.core.stop), slice(None, None, -1)),
        ):
            band = width_px * self._scale
            weights[edge][:band] = (np.arange(band, dtype=np.float32) + 0.5) / max(band, 1)
        return weights
