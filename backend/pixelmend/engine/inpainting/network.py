"""Holes filled by an inpainting network: one call for each group of holes, reduced in size if it is too
large.
"""

import math
from collections.abc import Callable

import numpy as np
import pyvips
from numpy.typing import NDArray

from pixelmend.core.errors import Cancelled, DeviceMemoryError
from pixelmend.core.geometry import Size
from pixelmend.engine.backends.network import Tiles
from pixelmend.engine.recovery.runner import ResilientRunner, RunResult
from pixelmend.imaging.canvas import Pixels
from pixelmend.imaging.holes import HolePlan, plan_holes
from pixelmend.imaging.resize import resize

WORKING_EDGE_PX = 1024
"""The longest edge that a network sees at once. These networks were trained on 256 to 512 px; they do not
relate things that are farther apart, and a larger input comes out as repeated texture."""
LEAST_EDGE_PX = 256

Mask = NDArray[np.bool_]
RunOnDevice = Callable[[Callable[[], RunResult]], RunResult]
"""Runs a piece of work on the device's thread and waits for it."""


class NetworkFill:
    """An open model with its fallbacks. run_on_device: the device belongs to one thread."""

    def __init__(self, runner: ResilientRunner, run_on_device: RunOnDevice) -> None:
        self._runner = runner
        self._run_on_device = run_on_device

    def fill(
        self,
        pixels: Pixels,
        hole: Mask,
        *,
        plan: HolePlan | None = None,
        cancelled: Callable[[], bool],
        on_progress: Callable[[int, int], None],
    ) -> tuple[Pixels, tuple[str, ...]]:
        """As `imaging.inpainting.fill`, with notes on what went otherwise than planned.

        pixels: (H, W, C) uint8 or uint16, C 1 or 3. plan: of this hole, if it was made already. cancelled:
        called between groups. Raises Cancelled, DeviceMemoryError, WrongResult.
        """
        result = pixels.copy()
        notes: dict[str, None] = {}
        total, done = int(np.count_nonzero(hole)), 0
        for group in (plan or plan_holes(hole)).groups:
            if cancelled():
                raise Cancelled("filling the holes was cancelled")
            window, own = group.bounds.window.as_slices(), group.bounds.own
            filled, new_notes = self._fill_window(result[window], hole[window])
            part = filled[own.relative_to(group.bounds.window).as_slices()]
            inside = hole[own.as_slices()]
            result[own.as_slices()][inside] = part[inside]
            notes.update(dict.fromkeys(new_notes))
            done += int(np.count_nonzero(inside))
            on_progress(done, total)
        return result, tuple(notes)

    def _fill_window(self, window: Pixels, hole: Mask) -> tuple[Pixels, list[str]]:
        """The window filled by one call; at a smaller size if the device has no room for it."""
        longest = max(hole.shape)
        edge = max(LEAST_EDGE_PX, self._runner.limit.tile_edge(min(WORKING_EDGE_PX, longest)))
        while True:
            try:
                return self._fill_reduced(window, hole, edge)
            except DeviceMemoryError:
                if min(edge, longest) <= LEAST_EDGE_PX:
                    raise
                edge = max(LEAST_EDGE_PX, min(edge, longest) // 2)

    def _fill_reduced(self, window: Pixels, hole: Mask, edge_px: int) -> tuple[Pixels, list[str]]:
        height, width = hole.shape
        factor = edge_px / max(height, width)
        if factor >= 1:
            return self._call(window, hole)
        small = Size(max(1, round(width * factor)), max(1, round(height * factor)))
        # The colours in the hole must not bleed into the known ones: they would show at its rim.
        kept = np.where(hole[:, :, None], _mean_known(window, hole), window)
        filled, notes = self._call(_resized(kept, small), _any_resized(hole, small))
        return _resized(filled, Size(width, height)), notes

    def _call(self, window: Pixels, hole: Mask) -> tuple[Pixels, list[str]]:
        """One call of the network, with the window mirrored to a size that it takes."""
        height, width, channels = window.shape
        tiling = self._runner.tiling
        sides = [_round_up(max(side, tiling.minimum_px), tiling.multiple_of) for side in (height, width)]
        beyond = ((0, sides[0] - height), (0, sides[1] - width))
        top = np.iinfo(window.dtype).max
        tile = np.empty((1, *sides, 4), window.dtype)
        tile[0, :, :, :3] = np.pad(window, (*beyond, (0, 0)), mode="symmetric")
        # The mirror image of the hole is as unknown as the hole.
        tile[0, :, :, 3] = np.pad(hole, beyond, mode="symmetric") * np.array(top, window.dtype)
        tiles: Tiles = tile
        grey = np.array([channels == 1])
        ran = self._run_on_device(lambda: self._runner.run(tiles, grey))
        filled: Pixels = ran.pixels[0, :height, :width, :channels]
        return filled, [note for note in ran.notes if note]


def _mean_known(window: Pixels, hole: Mask) -> NDArray[np.integer]:
    mean = window[~hole].mean(axis=0) if not hole.all() else np.zeros(window.shape[2])
    return np.rint(mean).astype(window.dtype)


def _resized(pixels: Pixels, size: Size) -> Pixels:
    """As `imaging.resize` does it."""
    height, width, bands = pixels.shape
    depth = "ushort" if pixels.dtype == np.uint16 else "uchar"
    image = pyvips.Image.new_from_memory(pixels.tobytes(), width, height, bands, depth)
    flat: Pixels = np.frombuffer(resize(image, size).write_to_memory(), pixels.dtype)  # type: ignore[assignment]
    return flat.reshape(size.height, size.width, bands)


def _any_resized(hole: Mask, size: Size) -> Mask:
    """True if any part of a pixel is in the hole."""
    rows = np.unique(np.arange(size.height) * hole.shape[0] // size.height)
    columns = np.unique(np.arange(size.width) * hole.shape[1] // size.width)
    reduced: Mask = np.logical_or.reduceat(np.logical_or.reduceat(hole, rows, axis=0), columns, axis=1)
    return reduced


def _round_up(value: int, multiple: int) -> int:
    return math.ceil(value / multiple) * multiple
