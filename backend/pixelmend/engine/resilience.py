"""Runs tiles so that they come out right or not at all: memory back-off and a ladder of safer networks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from pixelmend.engine.network import TileNetwork, Tiles
from pixelmend.errors import DeviceMemoryError, InvalidParameter, WrongResult
from pixelmend.imaging.canvas import Canvas, Pixels
from pixelmend.imaging.geometry import Size
from pixelmend.imaging.tiling import TilePlan, plan_tiles

SMALLEST_TILE_PX = 64
"""Back-off halves tiles down to this and then refuses; smaller ones would be nearly all overlap."""


@dataclass(frozen=True, slots=True)
class Tiling:
    """What a network demands of its tiles, in input pixels."""

    overlap_px: int
    blend_px: int
    multiple_of: int
    minimum_px: int


@dataclass(frozen=True, slots=True)
class RunResult:
    """`notes[i]` says what had to be done to get item i right, if anything."""

    pixels: Tiles
    notes: tuple[str | None, ...]


# A network's place on the ladder, and a tile's height and width.
_Fit = tuple[int, int, int]


class ResilientRunner:
    """A network with its fall-backs.

    Out of memory: halve the batch, then the tile, then free what others hold (`relieve`), then refuse; what
    did not fit is remembered and not tried again. A faulty output tile is computed again by the next network
    of the ladder; a tile that is wrong on all of them raises WrongResult.

    ladder: the network of choice first, then safer ones, opened when they are first needed.
    relieve: frees device memory held by others; False when there is nothing left to free.
    """

    def __init__(
        self,
        tiling: Tiling,
        ladder: Sequence[Callable[[], TileNetwork]],
        relieve: Callable[[], bool] = lambda: False,
    ) -> None:
        self.tiling = tiling
        self._ladder = tuple(ladder)
        self._relieve = relieve
        self._opened: dict[int, TileNetwork] = {}
        self._largest_batch: dict[_Fit, int] = {}
        self._too_large: set[_Fit] = set()
        self.largest_tile_px: int | None = None
        """Longest tile edge known to fit, once something did not."""

    @property
    def network(self) -> TileNetwork:
        return self._open(0)

    @property
    def scale(self) -> int:
        return self.network.scale

    def run(self, tiles: Tiles, grey: NDArray[np.bool_]) -> RunResult:
        """Upscale a batch; shapes as in TileNetwork.run. Raises DeviceMemoryError or WrongResult."""
        pixels, faults = self._run_fitting(0, tiles, grey)
        notes: list[str | None] = [None] * len(tiles)
        for i, fault in enumerate(faults):
            if fault is not None:
                one = slice(i, i + 1)
                pixels[one], notes[i] = self._redo(tiles[one], grey[one], fault)
        return RunResult(pixels, tuple(notes))

    def _redo(self, tile: Tiles, grey: NDArray[np.bool_], fault: str) -> tuple[Tiles, str]:
        history = f"{fault} in {self.network.label}"
        for step in range(1, len(self._ladder)):
            try:
                network = self._open(step)
                pixels, (again,) = self._run_fitting(step, tile, grey)
            except DeviceMemoryError as error:
                history += f", {error.message}"
                continue
            if again is None:
                return pixels, f"tile redone in {network.label}: {history}"
            history += f", {again} in {network.label}"
        raise WrongResult(f"an output tile is wrong: {history}; nothing was returned instead")

    def _open(self, step: int) -> TileNetwork:
        if step not in self._opened:
            self._opened[step] = self._ladder[step]()
        return self._opened[step]

    def _run_fitting(
        self, step: int, tiles: Tiles, grey: NDArray[np.bool_]
    ) -> tuple[Tiles, list[str | None]]:
        fit = (step, tiles.shape[1], tiles.shape[2])
        pieces: list[Tiles] = []
        faults: list[str | None] = []
        start = 0
        while start < len(tiles):
            known_to_split = fit in self._too_large
            count = 1 if known_to_split else self._largest_batch.get(fit, len(tiles))
            part = slice(start, min(start + count, len(tiles)))
            if known_to_split:
                pixels, fault = self._run_split(step, tiles[part], grey[part], self._split(tiles[part]))
                some: Sequence[str | None] = [fault]
            else:
                try:
                    output = self._open(step).run(tiles[part], grey[part])
                    pixels, some = output.pixels, output.faults
                except DeviceMemoryError as error:
                    if part.stop - start > 1:
                        self._largest_batch[fit] = (part.stop - start) // 2
                        continue
                    pixels, fault = self._make_fit(step, tiles[part], grey[part], error)
                    some = [fault]
            pieces.append(pixels)
            faults.extend(some)
            start = part.stop
        # One array in the common case, without a copy.
        joined = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
        return cast("Tiles", joined), faults

    def _make_fit(
        self, step: int, tile: Tiles, grey: NDArray[np.bool_], error: DeviceMemoryError
    ) -> tuple[Tiles, str | None]:
        """One tile that did not fit: in parts, or else with the memory that others give up."""
        _, height, width, _ = tile.shape
        try:
            plan = self._split(tile)
        except InvalidParameter as limit:
            reason = limit.message
        else:
            pixels, fault = self._run_split(step, tile, grey, plan)
            # Only now is it known that the parts help; a failure leaves nothing behind.
            self._too_large.add((step, height, width))
            if step == 0:
                longest = max(plan.tile.width, plan.tile.height)
                self.largest_tile_px = min(longest, self.largest_tile_px or longest)
            return pixels, fault
        while self._relieve():
            try:
                output = self._open(step).run(tile, grey)
            except DeviceMemoryError as still:
                error = still
            else:
                return output.pixels, output.faults[0]
        raise DeviceMemoryError(
            f"a tile of {width}x{height} px does not fit on the device and cannot be split further "
            f"({reason}): {error.message}"
        ) from error

    def _split(self, tile: Tiles) -> TilePlan:
        """Half the tile's longer edge. Raises InvalidParameter where it cannot be any smaller."""
        _, height, width, _ = tile.shape
        longest = max(height, width)
        if longest <= SMALLEST_TILE_PX:
            raise InvalidParameter(f"the smallest tile is {SMALLEST_TILE_PX} px")
        return plan_tiles(
            Size(width, height),
            tile_px=max(SMALLEST_TILE_PX, longest // 2),
            overlap_px=self.tiling.overlap_px,
            multiple_of=self.tiling.multiple_of,
            minimum_px=self.tiling.minimum_px,
            blend_px=self.tiling.blend_px,
        )

    def _run_split(
        self, step: int, tile: Tiles, grey: NDArray[np.bool_], plan: TilePlan
    ) -> tuple[Tiles, str | None]:
        """One tile through smaller tiles of itself, which gives the same values as the tile at once."""
        rows: list[Pixels] = []
        canvas = Canvas(plan, self._open(step).scale, 3, tile.dtype, rows.append)
        first_fault: str | None = None
        for part in plan:
            pixels, (fault,) = self._run_fitting(step, tile[:, *part.window.as_slices()], grey)
            first_fault = first_fault or fault
            canvas.put(part, pixels[0])
        return cast("Tiles", np.concatenate(rows)[None]), first_fault
