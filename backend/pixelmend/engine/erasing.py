"""What lies under a mask, removed: by the image's own patches or by a network, and blended in."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pixelmend.core.errors import InvalidParameter, PixelmendError
from pixelmend.engine.device import cpu_device
from pixelmend.engine.inpainting import NetworkFill, OnDevice
from pixelmend.engine.model_cache.cache import ModelManager
from pixelmend.engine.turns import Turns
from pixelmend.imaging.alpha import bleed_colour
from pixelmend.imaging.canvas import Pixels
from pixelmend.imaging.codec import Decoded, decode
from pixelmend.imaging.holes import plan_holes
from pixelmend.imaging.inpainting.fill import fill
from pixelmend.imaging.mask import Hole, MaskPolarity, about_the_mask, feather, grow, hole_from_mask
from pixelmend.imaging.probe import InputLimits
from pixelmend.tasks.options import FILL, InpaintOptions

NOTHING = "the mask is empty: nothing was removed"

Mask = NDArray[np.bool_]
Progress = Callable[[int, int], None]
"""Called with pixels filled so far and in total."""


@dataclass(frozen=True, slots=True)
class Maker:
    """What filled the holes, and where it computed. sha256: empty where no file of weights was needed."""

    model: str
    sha256: str
    device_type: str
    device_name: str
    precision: str


@dataclass(frozen=True, slots=True)
class Erased:
    """area_px: how many pixels were filled."""

    decoded: Decoded
    maker: Maker
    area_px: int
    seconds: float
    notes: tuple[str, ...]


class Eraser:
    """Used by several threads. on_device: runs work on the thread that the device belongs to."""

    def __init__(
        self, manager: ModelManager, limits: InputLimits, on_device: OnDevice, turns: Turns | None = None
    ) -> None:
        """turns: who may compute; None: all compute at once."""
        self._turns = turns or Turns(sys.maxsize)
        self._manager = manager
        self._limits = limits
        self._on_device = on_device

    def erase(
        self,
        decoded: Decoded,
        mask_path: Path,
        options: InpaintOptions,
        *,
        cancelled: Callable[[], bool],
        on_progress: Progress,
    ) -> Erased:
        """Pixels farther than `grow_px` from the mask are equal bit for bit.

        cancelled: asked again and again. Raises Cancelled, whatever the mask can be refused for, and what
        `ModelManager.lease` and `NetworkFill.fill` raise.
        """
        started_s = time.perf_counter()
        hole = self._hole(decoded, mask_path, options.mask_polarity)
        if hole.is_empty:
            nothing = Maker(options.model, "", "cpu", cpu_device().name, "none")
            return Erased(decoded, nothing, 0, time.perf_counter() - started_s, (NOTHING,))
        core = grow(hole.pixels, options.grow_px - options.feather_px)
        area = grow(core, options.feather_px)
        if area.all():
            raise InvalidParameter(
                f"the mask covers the whole image of {decoded.size} px (mask_grow={options.grow_px}); "
                "something has to be left to go by"
            )
        filler = self._fill if options.model == FILL else self._fill_by_network
        with self._turns.turn(int(np.count_nonzero(area)), cancelled) as turn:

            def gives_way() -> bool:
                turn.give_way(cancelled)
                return cancelled()

            def tell(done_px: int, total_px: int) -> None:
                turn.remaining = total_px - done_px
                on_progress(done_px, total_px)

            filled, maker, notes = filler(decoded, area, options.model, gives_way, tell)
        _blend(decoded.pixels, filled, core, options.feather_px)
        return Erased(
            Decoded(filled, decoded.metadata, decoded.notes),
            maker,
            int(np.count_nonzero(area)),
            time.perf_counter() - started_s,
            (*hole.notes, *notes),
        )

    def _hole(self, decoded: Decoded, mask_path: Path, polarity: MaskPolarity) -> Hole:
        try:
            mask = decode(mask_path, self._limits, first_frame=True)
            return hole_from_mask(mask.pixels, decoded.size, polarity)
        except PixelmendError as error:
            raise about_the_mask(error) from error

    def _fill(
        self, decoded: Decoded, area: Mask, model: str, cancelled: Callable[[], bool], on_progress: Progress
    ) -> tuple[Pixels, Maker, tuple[str, ...]]:
        def planes(pixels: Pixels, tell: Progress) -> Pixels:
            return fill(pixels, area, cancelled=cancelled, on_progress=tell)

        device = cpu_device()
        return _filled(decoded, planes, on_progress), Maker(FILL, "", "cpu", device.name, "float32"), ()

    def _fill_by_network(
        self, decoded: Decoded, area: Mask, model: str, cancelled: Callable[[], bool], on_progress: Progress
    ) -> tuple[Pixels, Maker, tuple[str, ...]]:
        opened = self._manager.lease(model, sixteen_bit=decoded.bits == 16, task="inpaint")
        notes: dict[str, None] = {opened.note: None} if opened.note else {}
        try:
            network = NetworkFill(opened.runner, self._on_device)

            def planes(pixels: Pixels, tell: Progress) -> Pixels:
                result, noted = network.fill(pixels, area, cancelled=cancelled, on_progress=tell)
                notes.update(dict.fromkeys(noted))
                return result

            filled = _filled(decoded, planes, on_progress)
            device = opened.network.device
            maker = Maker(
                opened.model.id, opened.model.sha256, device.type, device.name, opened.network.precision
            )
        finally:
            self._manager.release(opened)
        return filled, maker, tuple(notes)


def _filled(decoded: Decoded, planes: Callable[[Pixels, Progress], Pixels], on_progress: Progress) -> Pixels:
    """Colour, and transparency as a picture of its own where there is any; a new array."""
    pixels = decoded.pixels
    if not decoded.has_alpha:
        return planes(pixels, on_progress)
    alpha = pixels[:, :, -1:]
    result = pixels.copy()
    # What is stored where nothing is seen must not be taken for a pattern.
    result[:, :, :-1] = planes(bleed_colour(pixels)[:, :, :-1], on_progress)
    if (alpha != alpha.flat[0]).any():
        result[:, :, -1:] = planes(alpha, lambda done, total: None)
    return result


def _blend(source: Pixels, filled: Pixels, core: Mask, feather_px: int) -> None:
    """Fade `filled` into `source` around `core`, in place; outside of it `source` comes back bit for bit."""
    changed = np.zeros(core.shape, np.bool_)
    plan = plan_holes(core)
    for crop in plan:
        own = crop.own.widened(feather_px, plan.size)
        # Wide enough for every core that a pixel of `own` may be near to, that of another crop as well.
        seen = own.widened(feather_px, plan.size)
        weights = feather(core[seen.as_slices()], feather_px)[own.relative_to(seen).as_slices()]
        before, after = source[own.as_slices()], filled[own.as_slices()]
        # Where the margins of two crops overlap, a pixel is mixed once.
        fresh = (weights > 0) & ~changed[own.as_slices()]
        mixed = np.rint(before + weights[:, :, None] * (after.astype(np.float32) - before))
        after[fresh] = mixed.astype(source.dtype)[fresh]
        changed[own.as_slices()] |= fresh
    np.copyto(filled, source, where=~changed[:, :, None])
