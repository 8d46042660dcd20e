"""Fills one crop: structure first, then exemplars, then as much of their detail as is missing."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from pixelmend.imaging.distance import distance_to
from pixelmend.imaging.inpainting.detail import add_grain, expected_strength
from pixelmend.imaging.inpainting.exemplar import Filled, copied
from pixelmend.imaging.inpainting.pyramid import Level, Mask, Plane, dilated, doubled, halved, levels_of
from pixelmend.imaging.inpainting.structure import BLOCK_PX, continued

_REACH_PX = 2 * BLOCK_PX
"""Farther from known pixels, a level has nothing to add to the structure of the coarser one."""
_LEAST_SIDE_PX = 18
"""Below it there are hardly any patches to choose from."""
_GUIDED_LEVELS = 3
_THIN_PX = 5
_DEEP_SHARE = 0.05
"""If hardly any pixel is farther from known ones, structure alone is closest to the original, by 0.1 to 0.4
dB."""


def filled_crop(
    pixels: Plane,
    hole: Mask,
    *,
    context_px: int,
    random: Generator,
    check: Callable[[], None],
    guide: Plane | None = None,
) -> Plane:
    """pixels: (H, W, C) float32 for values up to 255; hole: (H, W). Returns a new array.

    guide: the same crop filled already, blurred at most. Colours stay within the range of what is known.
    check: called between steps; what it raises ends the work.
    """
    levels = levels_of(pixels, hole)
    if guide is not None:
        levels = levels[:_GUIDED_LEVELS]
        for _ in levels[1:]:
            guide = halved(guide)
    smooth = structures(levels, guide, check)
    deep = np.isinf(distance_to(~hole, _THIN_PX)[hole]).mean() > _DEEP_SHARE
    result = _with_texture(levels, smooth, context_px, random, check) if deep else smooth[0]
    known = pixels[~hole] if not hole.all() else result.reshape(-1, result.shape[2])
    return np.where(hole[:, :, None], result.clip(known.min(axis=0), known.max(axis=0)), pixels)


def structures(levels: list[Level], guide: Plane | None, check: Callable[[], None]) -> list[Plane]:
    """Each level with its hole filled smoothly, in the order of the levels."""
    filled: list[Plane] = []
    for level in reversed(levels):
        check()
        start = level.pixels
        if filled:
            guide = doubled(filled[-1], level.hole.shape)
        if guide is not None:
            start = np.where(level.hole[:, :, None], guide, start)
        active = level.hole & (distance_to(~level.hole, _REACH_PX) <= _REACH_PX)
        filled.append(continued(start, level.hole, active))
    return filled[::-1]


def _with_texture(
    levels: list[Level],
    structures: list[Plane],
    context_px: int,
    random: Generator,
    check: Callable[[], None],
) -> Plane:
    """The finest structure, averaged with what patches suggest, with their detail if it lacks some."""
    before: Filled | None = None
    for finer in reversed(range(len(levels))):
        level = Level(structures[finer], levels[finer].hole)
        if level.hole.any() and (min(level.hole.shape) >= _LEAST_SIDE_PX or finer == 0):
            near = dilated(level.hole, max(context_px >> finer, _LEAST_SIDE_PX))
            before = copied(level, finer, before, near, random, check)
    assert before is not None, "the finest level has a hole"
    smooth = (structures[0] + before.averaged) / 2
    return add_grain(smooth, before.sharpest, expected_strength(levels[0].pixels, levels[0].hole))
