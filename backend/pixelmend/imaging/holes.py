"""The parts of an image that are needed to fill its holes. Pure arithmetic: no colours are touched.

Holes near to one another are filled together, distant ones separately, and a group that is too large to be
filled at once is divided. Work and memory depend on the holes, not on the image.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelmend.core.geometry import Rect, Size, Span

Mask = NDArray[np.bool_]

_CELL_PX = 64
"""Holes in touching cells are near to one another: their surroundings would overlap."""
LEAST_CONTEXT_PX = 64
MOST_CONTEXT_PX = 256
LARGEST_PX = 768


@dataclass(frozen=True, slots=True)
class Crop:
    """own: the part that this crop fills. window: the part that it may look at, `own` with its context."""

    own: Rect
    window: Rect


@dataclass(frozen=True, slots=True)
class Group:
    """Holes near to one another. There is more than one crop if they are too large to be filled at once.

    context_px: the width that windows have around their own part, as far as the image reaches.
    """

    context_px: int
    bounds: Crop
    crops: tuple[Crop, ...]


@dataclass(frozen=True, slots=True)
class HolePlan:
    """No two crops' own parts overlap, and each hole pixel lies in one of them."""

    size: Size
    groups: tuple[Group, ...]

    def __iter__(self) -> Iterator[Crop]:
        return (crop for group in self.groups for crop in group.crops)


def plan_holes(hole: Mask, *, largest_px: int = LARGEST_PX) -> HolePlan:
    """hole: (H, W). largest_px: the longest side of a crop's own part.

    The context is as wide as a square of the hole's area, within limits: a thin scratch, however long, is
    explained by what is next to it.
    """
    size = Size(hole.shape[1], hole.shape[0])
    groups = []
    for cells in _merged(_cells(hole)):
        near = _within(cells.scale(_CELL_PX), size)
        bounds = _tight(hole, near)
        area_px = int(np.count_nonzero(hole[bounds.as_slices()]))
        context = min(max(math.isqrt(area_px), LEAST_CONTEXT_PX), MOST_CONTEXT_PX)
        parts = (part for part in _divided(bounds, largest_px) if hole[part.as_slices()].any())
        crops = tuple(_with_context(_tight(hole, part), context, size) for part in parts)
        groups.append(Group(context, _with_context(bounds, context, size), crops))
    return HolePlan(size, tuple(groups))


def _cells(hole: Mask) -> Mask:
    """Which cells of the image have a hole in them."""
    rows = np.logical_or.reduceat(hole, np.arange(0, hole.shape[0], _CELL_PX), axis=0)
    cells: Mask = np.logical_or.reduceat(rows, np.arange(0, hole.shape[1], _CELL_PX), axis=1)
    return cells


def _merged(cells: Mask) -> list[Rect]:
    """Rectangles of cells, neither overlapping nor touching, that together contain all set cells."""
    while True:
        rects = _components(cells)
        grown = np.zeros_like(cells)
        for rect in rects:
            grown[rect.as_slices()] = True
        if (grown == cells).all():
            return rects
        cells = grown


def _components(cells: Mask) -> list[Rect]:
    """The bounds of connected cells, also those that touch at corners, in the order of their first cells."""
    open_cells = dict.fromkeys(zip(*(axis.tolist() for axis in np.nonzero(cells)), strict=True))
    rects = []
    while open_cells:
        first = next(iter(open_cells))
        del open_cells[first]
        found = [first]
        for row, column in found:
            for beside in ((row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)):
                if beside in open_cells:
                    del open_cells[beside]
                    found.append(beside)
        rows, columns = zip(*found, strict=True)
        rects.append(Rect(Span(min(columns), max(columns) + 1), Span(min(rows), max(rows) + 1)))
    return rects


def _tight(hole: Mask, near: Rect) -> Rect:
    """The bounds of the hole pixels in `near`, which contains some."""
    part = hole[near.as_slices()]
    rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    return Rect(
        Span(int(columns[0]), int(columns[-1]) + 1).shift(near.x.start),
        Span(int(rows[0]), int(rows[-1]) + 1).shift(near.y.start),
    )


def _divided(bounds: Rect, largest_px: int) -> Iterator[Rect]:
    """Equal parts of at most `largest_px` a side, in row-major order."""
    for rows in _shares(bounds.y, largest_px):
        for columns in _shares(bounds.x, largest_px):
            yield Rect(columns, rows)


def _shares(span: Span, largest_px: int) -> list[Span]:
    count = -(-span.length // largest_px)
    cuts = [span.start + span.length * i // count for i in range(count + 1)]
    return [Span(cuts[i], cuts[i + 1]) for i in range(count)]


def _within(rect: Rect, size: Size) -> Rect:
    return Rect(
        Span(rect.x.start, min(rect.x.stop, size.width)), Span(rect.y.start, min(rect.y.stop, size.height))
    )


def _with_context(own: Rect, context_px: int, size: Size) -> Crop:
    return Crop(own, own.widened(context_px, size))
