"""Removes what is under a mask, by the image's own patches or by a network, and blends the filling in."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from pixelmend.core.errors import InvalidParameter, PixelmendError
from pixelmend.core.geometry import Size
from pixelmend.engine.devices.device import cpu_device
from pixelmend.engine.inpainting.network import Mask, NetworkFill, RunOnDevice
from pixelmend.engine.inpainting.slots import ComputeSlots
from pixelmend.engine.model_cache.cache import ModelCache
from pixelmend.imaging.alpha import bleed_colour
from pixelmend.imaging.canvas import Pixels
from pixelmend.imaging.codec import Decoded, decode
from pixelmend.imaging.holes import HolePlan, plan_holes
from pixelmend.imaging.inpainting.fill import fill
from pixelmend.imaging.mask import Hole, feather, grow, hole_from_mask
from pixelmend.imaging.mask_rules import MaskPolarity, about_the_mask
from pixelmend.imaging.probe import InputLimits
from pixelmend.tasks.options import FILL, InpaintOptions

NOTHING = "the mask is empty: nothing was removed"

Progress = Callable[[int, int], None]
"""Called with pixels filled so far and in total."""
FillPlanes = Callable[[Pixels, Progress], Pixels]
"""Fills the holes of (H, W, 1 or 3) pixels; returns a new array."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What filled the holes, and where it computed. sha256: empty if no file of weights was needed."""

    model: str
    sha256: str
    device_type: str
    device_name: str
    precision: str


@dataclass(frozen=True, slots=True)
class InpaintResult:
    """area_px: how many pixels were filled."""

    decoded: Decoded
    provenance: Provenance
    area_px: int
    seconds: float
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Area:
    """What is filled. core: (H, W), filled wholly; area: with `feather_px` around it; plan: its crops."""

    core: Mask
    area: Mask
    plan: HolePlan
    feather_px: int


class Inpainter:
    """Used by several threads. run_on_device: runs work on the thread that the device belongs to."""

    def __init__(
        self,
        cache: ModelCache,
        run_on_device: RunOnDevice,
        slots: ComputeSlots | None = None,
    ) -> None:
        """slots: how many may compute at one time; None: no limit."""
        self._slots = slots or ComputeSlots(sys.maxsize)
        self._cache = cache
        self._run_on_device = run_on_device

    def inpaint(
        self,
        decoded: Decoded,
        hole: Hole,
        options: InpaintOptions,
        *,
        cancelled: Callable[[], bool],
        on_progress: Progress,
        on_cpu_because: str | None = None,
    ) -> InpaintResult:
        """Pixels farther than `grow_px` from the mask are equal bit for bit.

        hole: of the image's size. cancelled: called several times a second. on_cpu_because: as
        `ModelCache.lease` takes it. Raises Cancelled,
        InvalidParameter if nothing of the image would be left, and what `ModelCache.lease` and
        `NetworkFill.fill` raise.
        """
        started_s = time.perf_counter()
        if hole.is_empty:
            nothing = Provenance(options.model, "", "cpu", cpu_device().name, "none")
            return InpaintResult(decoded, nothing, 0, time.perf_counter() - started_s, (NOTHING,))
        where = _area_of(hole, options)
        area_px = int(np.count_nonzero(where.area))
        by_network = partial(self._fill_by_network, on_cpu_because=on_cpu_because)
        fill_with = self._fill_from_image if options.model == FILL else by_network
        with self._slots.slot(area_px, cancelled) as slot:

            def pause_or_cancel() -> bool:
                slot.pause_for_smaller(cancelled)
                return cancelled()

            def report(done_px: int, total_px: int) -> None:
                slot.remaining = total_px - done_px
                on_progress(done_px, total_px)

            filled, provenance, notes = fill_with(decoded, where, options.model, pause_or_cancel, report)
        _blend(decoded.pixels, filled, where)
        return InpaintResult(
            Decoded(filled, decoded.metadata, decoded.notes),
            provenance,
            area_px,
            time.perf_counter() - started_s,
            (*hole.notes, *notes),
        )

    def _fill_from_image(
        self, decoded: Decoded, where: _Area, model: str, cancelled: Callable[[], bool], on_progress: Progress
    ) -> tuple[Pixels, Provenance, tuple[str, ...]]:
        def fill_planes(pixels: Pixels, report: Progress) -> Pixels:
            return fill(pixels, where.area, plan=where.plan, cancelled=cancelled, on_progress=report)

        provenance = Provenance(FILL, "", "cpu", cpu_device().name, "float32")
        return _filled(decoded, fill_planes, on_progress), provenance, ()

    def _fill_by_network(
        self,
        decoded: Decoded,
        where: _Area,
        model: str,
        cancelled: Callable[[], bool],
        on_progress: Progress,
        on_cpu_because: str | None,
    ) -> tuple[Pixels, Provenance, tuple[str, ...]]:
        sixteen_bit = decoded.bits == 16
        opened = self._cache.lease(
            model, sixteen_bit=sixteen_bit, task="inpaint", on_cpu_because=on_cpu_because
        )
        notes: dict[str, None] = {opened.note: None} if opened.note else {}
        try:
            network = NetworkFill(opened.runner, self._run_on_device)

            def fill_planes(pixels: Pixels, report: Progress) -> Pixels:
                result, new_notes = network.fill(
                    pixels, where.area, plan=where.plan, cancelled=cancelled, on_progress=report
                )
                notes.update(dict.fromkeys(new_notes))
                return result

            filled = _filled(decoded, fill_planes, on_progress)
            device = opened.network.device
            provenance = Provenance(
                opened.model.id, opened.model.sha256, device.type, device.name, opened.network.precision
            )
        finally:
            self._cache.release(opened)
        return filled, provenance, tuple(notes)


def read_hole(mask_path: Path, image: Size, polarity: MaskPolarity, limits: InputLimits) -> Hole:
    """The hole in a mask's file, at the image's size. Raises what `decode` and `hole_from_mask` raise."""
    try:
        mask = decode(mask_path, limits, first_frame=True)
        return hole_from_mask(mask.pixels, image, polarity)
    except PixelmendError as error:
        raise about_the_mask(error) from error


def _area_of(hole: Hole, options: InpaintOptions) -> _Area:
    """Raises InvalidParameter if nothing of the image would be left."""
    core = grow(hole.pixels, options.grow_px - options.feather_px)
    area = grow(core, options.feather_px)
    if area.all():
        height, width = area.shape
        raise InvalidParameter(
            f"the mask covers the whole image of {width}x{height} px (mask_grow={options.grow_px}); "
            "a part of it has to be left, to fill the hole from"
        )
    return _Area(core, area, plan_holes(area), options.feather_px)


def _filled(decoded: Decoded, fill_planes: FillPlanes, on_progress: Progress) -> Pixels:
    """Fill the colours, and transparency as an image of its own if there is any; a new array."""
    pixels = decoded.pixels
    if not decoded.has_alpha:
        return fill_planes(pixels, on_progress)
    alpha = pixels[:, :, -1:]
    result = pixels.copy()
    # The colours of fully transparent pixels are not seen and must not be taken for a pattern.
    result[:, :, :-1] = fill_planes(bleed_colour(pixels)[:, :, :-1], on_progress)
    if (alpha != alpha.flat[0]).any():
        result[:, :, -1:] = fill_planes(alpha, lambda done, total: None)
    return result


def _blend(source: Pixels, filled: Pixels, where: _Area) -> None:
    """Fade `filled` into `source` around the core, in place; outside the area `source` comes back bit for
    bit.
    """
    changed = np.zeros(where.core.shape, np.bool_)
    for crop in where.plan:
        # Wide enough for every core that a pixel of `own` may be near to, even one of another crop.
        seen = crop.own.widened(where.feather_px, where.plan.size)
        own = crop.own.as_slices()
        weights = feather(where.core[seen.as_slices()], where.feather_px)
        weights = weights[crop.own.relative_to(seen).as_slices()]
        before, after = source[own], filled[own]
        mixed = np.rint(before + weights[:, :, None] * (after.astype(np.float32) - before))
        inside = weights > 0
        after[inside] = mixed.astype(source.dtype)[inside]
        changed[own] |= inside
    np.copyto(filled, source, where=~changed[:, :, None])
