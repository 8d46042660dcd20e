"""Runs tiles so that they come out right or not at all: memory back-off and a chain of fallback networks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np
from numpy.typing import NDArray

from pixelmend.core.config_values import RecoveryAction
from pixelmend.core.errors import DeviceMemoryError, InvalidParameter, WrongResult
from pixelmend.core.geometry import Size
from pixelmend.engine.backends.network import TileNetwork, Tiles
from pixelmend.engine.model_cache.call_size import CallSizeLimiter
from pixelmend.engine.recovery.fallback_chain import FallbackChain, FallbackNetwork
from pixelmend.engine.recovery.observer import RecoveryObserver
from pixelmend.engine.recovery.policy import COUNTED_AS, RecoveryLog, RecoveryPolicy
from pixelmend.engine.recovery.tiling import Tiling
from pixelmend.imaging.canvas import Canvas, Pixels
from pixelmend.imaging.tiling import TilePlan, plan_tiles
from pixelmend.models.recovery import FailureKind


@dataclass(frozen=True, slots=True)
class RunResult:
    """`notes[i]` says what had to be done to get item i right, if anything."""

    pixels: Tiles
    notes: tuple[str | None, ...]


_Outcome = tuple[Tiles, str | None]
"""A tile's output, and what is wrong with it."""


class ResilientRunner:
    """A network with its fallbacks.

    A batch that does not fit is halved until one tile is left. A tile that fails is recovered as `policy`
    says. By default, one that does not fit is split, then `free_memory` is called, then it is computed on the
    CPU; one that came out faulty is computed again by the next network of the chain. A tile that is wrong on
    all of them raises WrongResult. `limit` remembers what did not fit, so that it is not tried too soon.

    fallback_chain: the preferred network first, then the others in the order in which they are tried.
    free_memory: frees device memory held by others; False if there is nothing left to free.
    """

    def __init__(
        self,
        tiling: Tiling,
        fallback_chain: Sequence[Callable[[], TileNetwork] | FallbackNetwork],
        free_memory: Callable[[], bool] = lambda: False,
        *,
        limit: CallSizeLimiter | None = None,
        policy: RecoveryPolicy | None = None,
        log: RecoveryLog | None = None,
        observer: RecoveryObserver | None = None,
    ) -> None:
        self.tiling = tiling
        self._chain = FallbackChain(fallback_chain, limit or CallSizeLimiter())
        self._free_memory = free_memory
        self._policy = policy or RecoveryPolicy()
        self._log = log or RecoveryLog()
        self._observer = observer or RecoveryObserver()

    @property
    def network(self) -> TileNetwork:
        return self._chain.open(0)

    @property
    def scale(self) -> int:
        return self.network.scale

    @property
    def limit(self) -> CallSizeLimiter:
        """The limit of the preferred network."""
        return self._chain.limits[0]

    def run(self, tiles: Tiles, grey: NDArray[np.bool_]) -> RunResult:
        """Upscale a batch; shapes as in TileNetwork.run. Raises DeviceMemoryError or WrongResult."""
        try:
            pixels, faults = self._run_within_limit(0, tiles, grey)
        except DeviceMemoryError as error:
            if not self._finishes_elsewhere:
                self._log.add("refused")
                raise
            return self._recover_each("out_of_memory", ("other-device",), tiles, grey, error)
        except RuntimeError as error:  # from the device, or from the code that drives it
            kind = self._kind_of_error()
            if not self._policy.actions(kind):
                raise
            return self._recover_each(kind, self._policy.actions(kind), tiles, grey, error)
        notes: list[str | None] = [None] * len(tiles)
        for i, fault in enumerate(faults):
            if fault is not None:
                one = slice(i, i + 1)
                history = f"{fault} in {self.network.label}"
                actions = self._policy.actions("wrong_result")
                pixels[one], notes[i] = self._recover("wrong_result", actions, tiles[one], grey[one], history)
        return RunResult(pixels, tuple(notes))

    # --- recovery -------------------------------------------------------------------------------------

    def _kind_of_error(self) -> FailureKind:
        device = getattr(self.network, "device", None)  # only networks on a device have one
        return "mps_error" if device is not None and device.type == "mps" else "device_error"

    @property
    def _finishes_elsewhere(self) -> bool:
        allowed = "other-device" in self._policy.actions("out_of_memory")
        return allowed and any(self._chain.after(0, "other-device"))

    def _recover_each(
        self,
        kind: FailureKind,
        actions: Sequence[RecoveryAction],
        tiles: Tiles,
        grey: NDArray[np.bool_],
        error: Exception,
    ) -> RunResult:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        history = f"{reason} in {self.network.label}"
        redone = [
            self._recover(kind, actions, tiles[i : i + 1], grey[i : i + 1], history)
            for i in range(len(tiles))
        ]
        joined = np.concatenate([pixels for pixels, _ in redone])
        return RunResult(cast("Tiles", joined), tuple(note for _, note in redone))

    def _recover(
        self,
        kind: FailureKind,
        actions: Sequence[RecoveryAction],
        tile: Tiles,
        grey: NDArray[np.bool_],
        history: str,
    ) -> tuple[Tiles, str]:
        """One tile that failed, by the first action that gets it right. Raises WrongResult, and
        DeviceMemoryError if it did not fit anywhere.
        """
        steps = self._recovery_steps(actions, 0, tile, grey)
        for attempt, (action, link, compute) in enumerate(steps):
            if attempt >= self._policy.max_attempts:
                break
            try:
                pixels, fault = self._observer.step(kind, action, compute)
            except (DeviceMemoryError, RuntimeError) as error:
                history += f", {error}"
                continue
            label = self._chain.open(link).label
            if fault is None:
                self._count(action)
                return pixels, f"tile redone in {label}: {history}"
            history += f", {fault} in {label}"
        if kind == "out_of_memory":
            self._log.add("refused")
            raise DeviceMemoryError(history)
        raise WrongResult(f"an output tile is wrong: {history}; nothing was returned instead")

    def _recovery_steps(
        self, actions: Sequence[RecoveryAction], link: int, tile: Tiles, grey: NDArray[np.bool_]
    ) -> Iterator[tuple[RecoveryAction, int, Callable[[], _Outcome]]]:
        """What may be tried for a tile that failed in a link of the chain: the action, the link it uses, and
        the call that tries it. Memory is freed when the iterator reaches that step.
        """
        for action in actions:
            match action:
                case "retry":
                    yield action, link, partial(self._run_whole, link, tile, grey)
                case "smaller-tile":
                    yield action, link, partial(self._run_in_parts, link, tile, grey)
                case "evict":
                    while self._free_memory():
                        yield action, link, partial(self._run_whole, link, tile, grey)
                case "other-precision" | "other-device":
                    for other in self._chain.after(link, action):
                        yield action, other, partial(self._run_tile, other, tile, grey)

    def _count(self, action: RecoveryAction) -> None:
        if action in COUNTED_AS:  # the model cache counts evictions itself
            self._log.add(COUNTED_AS[action])

    # --- memory ---------------------------------------------------------------------------------------

    def _run_within_limit(
        self, link: int, tiles: Tiles, grey: NDArray[np.bool_]
    ) -> tuple[Tiles, list[str | None]]:
        limit = self._chain.limits[link]
        tile_px = tiles.shape[1] * tiles.shape[2]
        pieces: list[Tiles] = []
        faults: list[str | None] = []
        start = 0
        while start < len(tiles):
            count = max(1, limit.count(len(tiles) - start, tile_px))
            part = slice(start, start + count)
            if count == 1:
                pixels, fault = self._run_tile(link, tiles[part], grey[part])
                part_faults: Sequence[str | None] = [fault]
            else:
                try:
                    output = self._chain.open(link).run(tiles[part], grey[part])
                except DeviceMemoryError:
                    limit.shrink(count * tile_px, count // 2 * tile_px)
                    self._log.add("smaller")
                    self._observer.halved()
                    continue
                limit.succeeded(count * tile_px)
                pixels, part_faults = output.pixels, output.faults
            pieces.append(pixels)
            faults.extend(part_faults)
            start += count
        # In the common case there is one array, and it is not copied.
        joined = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
        return cast("Tiles", joined), faults

    def _run_tile(self, link: int, tile: Tiles, grey: NDArray[np.bool_]) -> _Outcome:
        """One tile: in parts if it is known not to fit, else whole, else as the policy says."""
        if not self._chain.limits[link].count(1, tile.shape[1] * tile.shape[2]):
            try:
                plan = self._split(tile)
            except InvalidParameter:
                pass  # the tile cannot be any smaller
            else:
                return self._run_split(link, tile, grey, plan)
        try:
            return self._run_whole(link, tile, grey)
        except DeviceMemoryError as error:
            return self._make_fit(link, tile, grey, error)

    def _run_whole(self, link: int, tile: Tiles, grey: NDArray[np.bool_]) -> _Outcome:
        output = self._chain.open(link).run(tile, grey)
        self._chain.limits[link].succeeded(tile.shape[1] * tile.shape[2])
        return output.pixels, output.faults[0]

    def _make_fit(
        self, link: int, tile: Tiles, grey: NDArray[np.bool_], error: DeviceMemoryError
    ) -> _Outcome:
        """One tile that did not fit."""
        reason = "no action of the recovery policy splits it"
        # What does not fit on the device goes to another one tile by tile, with a note: see `run`.
        here = [action for action in self._policy.actions("out_of_memory") if action != "other-device"]
        steps = self._recovery_steps(here, link, tile, grey)
        for attempt, (action, _, compute) in enumerate(steps):
            if attempt >= self._policy.max_attempts:
                break
            try:
                outcome = self._observer.step("out_of_memory", action, compute)
            except InvalidParameter as unsplittable:
                reason = unsplittable.message
            except DeviceMemoryError as still:
                if action == "smaller-tile":
                    raise  # every step was tried for a part of it
                error = still
            else:
                self._count(action)
                return outcome
        _, height, width, _ = tile.shape
        raise DeviceMemoryError(
            f"a tile of {width}x{height} px does not fit on the device and cannot be split further "
            f"({reason}): {error.message}"
        ) from error

    def _run_in_parts(self, link: int, tile: Tiles, grey: NDArray[np.bool_]) -> _Outcome:
        """Raises InvalidParameter if the tile cannot be any smaller."""
        plan = self._split(tile)
        outcome = self._run_split(link, tile, grey, plan)
        # Only after it succeeded is it known that splitting helps; a failure changes no limit.
        self._chain.limits[link].shrink(tile.shape[1] * tile.shape[2], plan.tile.pixels)
        return outcome

    def _split(self, tile: Tiles) -> TilePlan:
        """Tiles of half the longer edge. Raises InvalidParameter if the tile cannot be any smaller."""
        _, height, width, _ = tile.shape
        longest = max(height, width)
        if not self.tiling.splittable:
            raise InvalidParameter("the model has to see it as a whole")
        least_px = self.tiling.least_tile_px
        if longest <= least_px:
            raise InvalidParameter(f"the smallest tile is {least_px} px")
        return plan_tiles(
            Size(width, height),
            tile_px=max(least_px, longest // 2),
            overlap_px=self.tiling.overlap_px,
            multiple_of=self.tiling.multiple_of,
            minimum_px=self.tiling.minimum_px,
            blend_px=self.tiling.blend_px,
            minimum_core_px=self.tiling.minimum_core_px,
        )

    def _run_split(self, link: int, tile: Tiles, grey: NDArray[np.bool_], plan: TilePlan) -> _Outcome:
        """One tile through smaller tiles of itself, which gives the same values as the tile at once."""
        rows: list[Pixels] = []
        canvas = Canvas(plan, self._chain.open(link).scale, 3, tile.dtype, rows.append)
        first_fault: str | None = None
        for part in plan:
            pixels, (fault,) = self._run_within_limit(link, tile[:, *part.window.as_slices()], grey)
            first_fault = first_fault or fault
            canvas.put(part, pixels[0])
        return cast("Tiles", np.concatenate(rows)[None]), first_fault
