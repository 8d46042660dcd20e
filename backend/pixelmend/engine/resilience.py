"""Runs tiles so that they come out right or not at all: memory back-off and a ladder of safer networks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np
from numpy.typing import NDArray

from pixelmend.core.config import RecoveryAction
from pixelmend.core.errors import DeviceMemoryError, InvalidParameter, WrongResult
from pixelmend.core.geometry import Size
from pixelmend.engine.backends.network import TileNetwork, Tiles
from pixelmend.engine.model_cache.call_size import SMALLEST_TILE_PX, FitLimit
from pixelmend.engine.recovery import COUNTED_AS, FailureKind, RecoveryLog, RecoveryPolicy
from pixelmend.imaging.canvas import Canvas, Pixels
from pixelmend.imaging.tiling import TilePlan, plan_tiles


@dataclass(frozen=True, slots=True)
class Tiling:
    """What a network demands of its tiles, in input pixels. splittable: parts of a tile can be computed each
    by itself.
    """

    overlap_px: int
    blend_px: int
    multiple_of: int
    minimum_px: int
    splittable: bool = True


@dataclass(frozen=True, slots=True)
class SaferNetwork:
    """A network to fall back on, opened when it is first needed, and by which action it is reached."""

    open: Callable[[], TileNetwork]
    reached_by: RecoveryAction = "other-device"


@dataclass(frozen=True, slots=True)
class RunResult:
    """`notes[i]` says what had to be done to get item i right, if anything."""

    pixels: Tiles
    notes: tuple[str | None, ...]


_Outcome = tuple[Tiles, str | None]
"""A tile's output, and what is wrong with it."""


class ResilientRunner:
    """A network with its fall-backs.

    A batch that does not fit is halved until one tile is left. A tile that fails is recovered as `policy`
    says; by default one that does not fit is split, then the memory that others hold is freed (`relieve`),
    and one that came out faulty is computed again by the next network of the ladder. A tile that is wrong on
    all of them raises WrongResult. What did not fit is remembered by `limit`, and not tried again too soon.

    ladder: the network of choice first, then safer ones, opened when they are first needed.
    relieve: frees device memory held by others; False when there is nothing left to free.
    """

    def __init__(
        self,
        tiling: Tiling,
        ladder: Sequence[Callable[[], TileNetwork] | SaferNetwork],
        relieve: Callable[[], bool] = lambda: False,
        *,
        limit: FitLimit | None = None,
        policy: RecoveryPolicy | None = None,
        done: RecoveryLog | None = None,
    ) -> None:
        self.tiling = tiling
        self._ladder = [step if isinstance(step, SaferNetwork) else SaferNetwork(step) for step in ladder]
        self._relieve = relieve
        self._policy = policy or RecoveryPolicy()
        self._done = done or RecoveryLog()
        self._opened: dict[int, TileNetwork] = {}
        self._limits = [limit or FitLimit(), *(FitLimit() for _ in self._ladder[1:])]

    @property
    def network(self) -> TileNetwork:
        return self._open(0)

    @property
    def scale(self) -> int:
        return self.network.scale

    @property
    def limit(self) -> FitLimit:
        """Of the network of choice."""
        return self._limits[0]

    def run(self, tiles: Tiles, grey: NDArray[np.bool_]) -> RunResult:
        """Upscale a batch; shapes as in TileNetwork.run. Raises DeviceMemoryError or WrongResult."""
        try:
            pixels, faults = self._run_fitting(0, tiles, grey)
        except RuntimeError as error:  # of the device, or of the code that drives it
            kind = self._kind_of_error()
            if not self._policy.actions(kind):
                raise
            return self._each_recovered(kind, tiles, grey, error)
        notes: list[str | None] = [None] * len(tiles)
        for i, fault in enumerate(faults):
            if fault is not None:
                one = slice(i, i + 1)
                history = f"{fault} in {self.network.label}"
                pixels[one], notes[i] = self._recover("wrong_result", tiles[one], grey[one], history)
        return RunResult(pixels, tuple(notes))

    # --- recovery -------------------------------------------------------------------------------------

    def _kind_of_error(self) -> FailureKind:
        device = getattr(self.network, "device", None)  # only networks on a device have one
        return "mps_error" if device is not None and device.type == "mps" else "device_error"

    def _each_recovered(
        self, kind: FailureKind, tiles: Tiles, grey: NDArray[np.bool_], error: Exception
    ) -> RunResult:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        history = f"{reason} in {self.network.label}"
        redone = [self._recover(kind, tiles[i : i + 1], grey[i : i + 1], history) for i in range(len(tiles))]
        joined = np.concatenate([pixels for pixels, _ in redone])
        return RunResult(cast("Tiles", joined), tuple(note for _, note in redone))

    def _recover(
        self, kind: FailureKind, tile: Tiles, grey: NDArray[np.bool_], history: str
    ) -> tuple[Tiles, str]:
        """One tile that failed, by the first action that gets it right. Raises WrongResult."""
        for attempt, (action, step, compute) in enumerate(self._ways(kind, 0, tile, grey)):
            if attempt >= self._policy.max_attempts:
                break
            try:
                pixels, fault = compute()
            except (DeviceMemoryError, RuntimeError) as error:
                history += f", {error}"
                continue
            label = self._open(step).label
            if fault is None:
                self._count(action)
                return pixels, f"tile redone in {label}: {history}"
            history += f", {fault} in {label}"
        raise WrongResult(f"an output tile is wrong: {history}; nothing was returned instead")

    def _ways(
        self, kind: FailureKind, step: int, tile: Tiles, grey: NDArray[np.bool_]
    ) -> Iterator[tuple[RecoveryAction, int, Callable[[], _Outcome]]]:
        """What may be tried for one tile that failed in `step` of the ladder; what frees memory does so as
        it is come to.
        """
        for action in self._policy.actions(kind):
            match action:
                case "retry":
                    yield action, step, partial(self._once, step, tile, grey)
                case "smaller-tile":
                    yield action, step, partial(self._in_parts, step, tile, grey)
                case "evict":
                    while self._relieve():
                        yield action, step, partial(self._once, step, tile, grey)
                case "other-precision" | "other-device":
                    for other in range(step + 1, len(self._ladder)):
                        if self._ladder[other].reached_by == action:
                            yield action, other, partial(self._fitting_tile, other, tile, grey)

    def _count(self, action: RecoveryAction) -> None:
        if action in COUNTED_AS:  # evicted models are counted where they go
            self._done.add(COUNTED_AS[action])

    # --- memory ---------------------------------------------------------------------------------------

    def _open(self, step: int) -> TileNetwork:
        if step not in self._opened:
            self._opened[step] = self._ladder[step].open()
        return self._opened[step]

    def _run_fitting(
        self, step: int, tiles: Tiles, grey: NDArray[np.bool_]
    ) -> tuple[Tiles, list[str | None]]:
        limit = self._limits[step]
        tile_px = tiles.shape[1] * tiles.shape[2]
        pieces: list[Tiles] = []
        faults: list[str | None] = []
        start = 0
        while start < len(tiles):
            count = max(1, limit.count(len(tiles) - start, tile_px))
            part = slice(start, start + count)
            if count == 1:
                pixels, fault = self._fitting_tile(step, tiles[part], grey[part])
                some: Sequence[str | None] = [fault]
            else:
                try:
                    output = self._open(step).run(tiles[part], grey[part])
                except DeviceMemoryError:
                    limit.shrink(count * tile_px, count // 2 * tile_px)
                    self._done.add("smaller")
                    continue
                limit.succeeded(count * tile_px)
                pixels, some = output.pixels, output.faults
            pieces.append(pixels)
            faults.extend(some)
            start += count
        # One array in the common case, without a copy.
        joined = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
        return cast("Tiles", joined), faults

    def _fitting_tile(self, step: int, tile: Tiles, grey: NDArray[np.bool_]) -> _Outcome:
        """One tile: in parts where it is known not to fit, else whole, else as the policy says."""
        if not self._limits[step].count(1, tile.shape[1] * tile.shape[2]):
            try:
                plan = self._split(tile)
            except InvalidParameter:
                pass  # no smaller tile can be had
            else:
                return self._run_split(step, tile, grey, plan)
        try:
            return self._once(step, tile, grey)
        except DeviceMemoryError as error:
            return self._make_fit(step, tile, grey, error)

    def _once(self, step: int, tile: Tiles, grey: NDArray[np.bool_]) -> _Outcome:
        output = self._open(step).run(tile, grey)
        self._limits[step].succeeded(tile.shape[1] * tile.shape[2])
        return output.pixels, output.faults[0]

    def _make_fit(
        self, step: int, tile: Tiles, grey: NDArray[np.bool_], error: DeviceMemoryError
    ) -> _Outcome:
        """One tile that did not fit."""
        reason = "no action of the recovery policy splits it"
        ways = self._ways("out_of_memory", step, tile, grey)
        for attempt, (action, _, compute) in enumerate(ways):
            if attempt >= self._policy.max_attempts:
                break
            try:
                outcome = compute()
            except InvalidParameter as limit:
                reason = limit.message
            except DeviceMemoryError as still:
                if action == "smaller-tile":
                    raise  # a part of it was tried in every way
                error = still
            else:
                self._count(action)
                return outcome
        self._done.add("refused")
        _, height, width, _ = tile.shape
        raise DeviceMemoryError(
            f"a tile of {width}x{height} px does not fit on the device and cannot be split further "
            f"({reason}): {error.message}"
        ) from error

    def _in_parts(self, step: int, tile: Tiles, grey: NDArray[np.bool_]) -> _Outcome:
        """Raises InvalidParameter where the tile cannot be any smaller."""
        plan = self._split(tile)
        outcome = self._run_split(step, tile, grey, plan)
        # Only now is it known that the parts help; a failure leaves nothing behind.
        self._limits[step].shrink(tile.shape[1] * tile.shape[2], plan.tile.pixels)
        return outcome

    def _split(self, tile: Tiles) -> TilePlan:
        """Half the tile's longer edge. Raises InvalidParameter where it cannot be any smaller."""
        _, height, width, _ = tile.shape
        longest = max(height, width)
        if not self.tiling.splittable:
            raise InvalidParameter("the model has to see it as a whole")
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

    def _run_split(self, step: int, tile: Tiles, grey: NDArray[np.bool_], plan: TilePlan) -> _Outcome:
        """One tile through smaller tiles of itself, which gives the same values as the tile at once."""
        rows: list[Pixels] = []
        canvas = Canvas(plan, self._open(step).scale, 3, tile.dtype, rows.append)
        first_fault: str | None = None
        for part in plan:
            pixels, (fault,) = self._run_fitting(step, tile[:, *part.window.as_slices()], grey)
            first_fault = first_fault or fault
            canvas.put(part, pixels[0])
        return cast("Tiles", np.concatenate(rows)[None]), first_fault
