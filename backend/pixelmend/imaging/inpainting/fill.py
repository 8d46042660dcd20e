"""Fills holes from their surroundings, without a network: docs/adr/0014-inpainting-fill.md."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import default_rng
from numpy.typing import NDArray

from pixelmend.core.errors import Cancelled, InvalidParameter
from pixelmend.core.geometry import Rect, Span
from pixelmend.imaging.holes import LARGEST_PX, Group, HolePlan, plan_holes
from pixelmend.imaging.inpainting.blas import one_thread
from pixelmend.imaging.inpainting.crop import filled_crop
from pixelmend.imaging.inpainting.pyramid import Mask, Plane, doubled, weighted_halves

Pixels = NDArray[Any]
"""(H, W, C)."""
_BAND_ROWS = 256
"""Even, so that no 2x2 cell is cut."""


def fill(
    pixels: Pixels,
    hole: Mask,
    *,
    seed: int = 0,
    plan: HolePlan | None = None,
    largest_px: int = LARGEST_PX,
    cancelled: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Pixels:
    """Remove what is in the hole.

    pixels: (H, W, C) with 1 or 3 channels: uint8, uint16, or float32 in [0, 1]. hole: (H, W) bool. Returns a
    new array of the same shape and type; pixels outside the hole are equal bit for bit. The same arguments
    give the same result, with any number of threads for matrix products.

    plan: of this hole, if it was made already. largest_px: the longest side of what is filled at once; memory
    is in proportion to its square. on_progress: called with hole pixels filled so far and in total.
    cancelled: called several times a second. Raises Cancelled, and InvalidParameter for other shapes and
    types and if the hole is all of the image.
    """
    _refuse_unusable(pixels, hole)
    scale = 255.0 / np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 255.0

    def check() -> None:
        if cancelled():
            raise Cancelled("filling the holes was cancelled")

    with one_thread():
        filling = _Filling(np.float32(scale), seed, largest_px, check, on_progress)
        return filling.filled(pixels, hole, plan or plan_holes(hole, largest_px=largest_px))


def _refuse_unusable(pixels: Pixels, hole: Mask) -> None:
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3):
        raise InvalidParameter(f"an image of shape {pixels.shape} cannot be filled; it takes (H, W, 1 or 3)")
    if pixels.dtype not in (np.uint8, np.uint16, np.float32):
        raise InvalidParameter(f"{pixels.dtype} pixels cannot be filled; uint8, uint16 and float32 can")
    if hole.shape != pixels.shape[:2] or hole.dtype != np.bool_:
        raise InvalidParameter(
            f"a {hole.dtype} hole of shape {hole.shape} does not fit an image of shape {pixels.shape}"
        )
    if hole.all():
        raise InvalidParameter(f"all {hole.size} pixels are in the hole; a part of the image has to be left")


class _Filling:
    """One call of `fill`: what stays the same from crop to crop."""

    def __init__(
        self,
        scale: np.float32,
        seed: int,
        largest_px: int,
        check: Callable[[], None],
        on_progress: Callable[[int, int], None],
    ) -> None:
        self._scale = scale
        self._seed = seed
        self._largest_px = largest_px
        self._check = check
        self._on_progress = on_progress

    def filled(self, pixels: Pixels, hole: Mask, plan: HolePlan, report: bool = True) -> Pixels:
        result = pixels.copy()
        unknown = hole.copy()
        total = int(np.count_nonzero(hole))
        done = 0
        for group in plan.groups:
            guide = self._guide(result, unknown, group) if len(group.crops) > 1 else None
            for crop in group.crops:
                self._check()
                window, own = crop.window.as_slices(), crop.own.as_slices()
                filled = filled_crop(
                    result[window].astype(np.float32) * self._scale,
                    unknown[window],
                    context_px=group.context_px,
                    random=default_rng((self._seed, crop.own.x.start, crop.own.y.start)),
                    check=self._check,
                    guide=None if guide is None else guide(crop.window),
                )
                part = filled[crop.own.relative_to(crop.window).as_slices()]
                target = unknown[own]
                result[own][target] = self._stored(part[target], result.dtype)
                done += int(np.count_nonzero(target))
                unknown[own] = False  # for the crops beside it, what is filled is known
                if report:
                    self._on_progress(done, total)
        return result

    def _stored(self, values: Plane, kind: np.dtype[Any]) -> Pixels:
        values = values / self._scale
        return np.rint(values).astype(kind) if kind.kind == "u" else values.astype(kind)

    def _guide(self, pixels: Pixels, hole: Mask, group: Group) -> Callable[[Rect], Plane]:
        """Fill the group at half the resolution. Returns what reads a window of it at full size."""
        bounds = group.bounds.window
        half, half_hole = self._halved(pixels[bounds.as_slices()], hole[bounds.as_slices()])
        if half_hole.all():
            half[:] = pixels[~hole].mean(axis=0) * (self._scale / 255)
        else:
            plain = _Filling(np.float32(255), self._seed, self._largest_px, self._check, self._on_progress)
            plan = plan_holes(half_hole, largest_px=self._largest_px)
            half = plain.filled(half, half_hole, plan, report=False)

        def read(window: Rect) -> Plane:
            inner = window.relative_to(bounds)
            return _window_of_doubled(half, inner) * np.float32(255)

        return read

    def _halved(self, pixels: Pixels, hole: Mask) -> tuple[Plane, Mask]:
        """(H, W, C) float32 in [0, 1] and its hole, made in bands, so that there is never a float image of
        the full size.
        """
        colours, holes = [], []
        for start in range(0, len(pixels), _BAND_ROWS):
            rows = slice(start, start + _BAND_ROWS)
            known = (~hole[rows]).astype(np.float32)
            colour, weight = weighted_halves(pixels[rows].astype(np.float32) * (self._scale / 255), known)
            colours.append(colour)
            holes.append(weight < 0.5)
        return np.concatenate(colours), np.concatenate(holes)


def _window_of_doubled(half: Plane, window: Rect) -> Plane:
    """A window of twice the image `half`."""
    near = Rect(
        Span(max(0, window.x.start // 2 - 1), window.x.stop // 2 + 2),
        Span(max(0, window.y.start // 2 - 1), window.y.stop // 2 + 2),
    )
    part = half[near.as_slices()]
    whole = doubled(part, (2 * part.shape[0], 2 * part.shape[1]))
    top, left = window.y.start - 2 * near.y.start, window.x.start - 2 * near.x.start
    return whole[top : top + window.y.length, left : left + window.x.length]
