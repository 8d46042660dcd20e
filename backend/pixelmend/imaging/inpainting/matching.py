"""The nearest source patch of every target patch: exhaustively if that is cheap, else by PatchMatch."""

import numpy as np
from numpy.random import Generator

from pixelmend.imaging.inpainting.patches import Indices, PatchSpace
from pixelmend.imaging.inpainting.pyramid import Plane

_CHEAP_PAIRS = 40_000_000
_AT_ONCE_PAIRS = 1 << 22
_STEPS_PX = (4, 1, 1)


def nearest(
    space: PatchSpace, described: Plane, start: Indices | None, random: Generator
) -> tuple[Indices, Plane]:
    """For each target the place of a source patch like it, and their squared distance.

    start: places to begin the search at, any pixels; random ones if there are none.
    """
    if len(space.targets) * len(space.sources) <= _CHEAP_PAIRS:
        return _exhaustively(space, described)
    if start is None:
        start = random.choice(space.sources, len(space.targets))
    return _by_search(space, described, start.copy(), random)


def _exhaustively(space: PatchSpace, described: Plane) -> tuple[Indices, Plane]:
    sources = space.described[1:]
    halves = 0.5 * np.einsum("nd,nd->n", sources, sources)
    best = np.empty(len(described), np.intp)
    at_once = max(1, _AT_ONCE_PAIRS // len(sources))
    for first in range(0, len(described), at_once):
        part = slice(first, first + at_once)
        best[part] = (halves - described[part] @ sources.T).argmin(axis=1)
    places = space.sources[best]
    return places, space.distance(described, places)


def _by_search(
    space: PatchSpace, described: Plane, places: Indices, random: Generator
) -> tuple[Indices, Plane]:
    """PatchMatch (Barnes et al., 2009), all targets at once: neighbours' shifts, then random places."""
    height, width = space.shape
    distances = space.distance(described, places)
    number = np.full(height * width, -1, np.int32)
    number[space.targets] = np.arange(len(space.targets), dtype=np.int32)
    rows, columns = np.divmod(space.targets, width)

    def propose(candidate_rows: Indices, candidate_columns: Indices) -> None:
        candidates = candidate_rows.clip(0, height - 1) * width + candidate_columns.clip(0, width - 1)
        found = space.distance(described, candidates)
        better = found < distances
        places[better], distances[better] = candidates[better], found[better]

    for step in _STEPS_PX:
        for down, right in ((0, step), (0, -step), (step, 0), (-step, 0)):
            beside = (rows + down).clip(0, height - 1) * width + (columns + right).clip(0, width - 1)
            neighbour = number[beside]
            own = np.where(neighbour >= 0, neighbour, np.arange(len(places)))
            shift = beside - space.targets
            candidates = np.where(neighbour >= 0, places[own] - shift, places)
            propose(*np.divmod(candidates.clip(0, height * width - 1), width))
        reach = max(height, width) // 2
        while reach >= 1:
            offsets = random.integers(-reach, reach + 1, (2, len(places)))
            propose(places // width + offsets[0], places % width + offsets[1])
            reach //= 3
    return places, distances
