"""Texture and structure copied from elsewhere in the image, coarse to fine.

On each level patches that see the hole look for the known patch that is most like them, and what those
patches have inside the hole is averaged by likeness, several times over (Wexler, Shechtman and Irani,
Space-time completion of video, 2007). As in Newson et al. (Video inpainting of complex scenes, 2014) patches
are compared by their texture as well as their colours: without it a smooth guess finds smooth patches only.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from pixelmend.imaging.distance import distance_to
from pixelmend.imaging.inpainting.detail import expected_strength
from pixelmend.imaging.inpainting.matching import nearest
from pixelmend.imaging.inpainting.patches import RADIUS_PX, Indices, PatchSpace, known_patches
from pixelmend.imaging.inpainting.pyramid import Level, Mask, Plane, doubled

_ROUNDS = (3, 4, 6)
"""On the finest level, the one above, and all others: coarse levels cost little and decide what is large."""
_TEXTURE_WEIGHT = 2.0
_TRUST_PER_PX = 1.3
"""How much less a pixel is trusted with each pixel of distance from what is known (Wexler et al.)."""
_DEEPEST_PX = 24
_LEAST_LIKENESS = np.float32(1e-6)
"""The least weight, so that a pixel gets a value even if no patch is alike."""


@dataclass(frozen=True, slots=True)
class Filled:
    """averaged: what patches agree on; sharpest: the single most alike patch's; both (H, W, C) float32.

    places: (H, W) flat index of the source patch of each pixel, or -1.
    """

    averaged: Plane
    sharpest: Plane
    places: Indices


def copied(
    level: Level,
    finer: int,
    before: Filled | None,
    near: Mask,
    random: Generator,
    check: Callable[[], None],
) -> Filled:
    """Fill one level. level.pixels: with a guess in the hole; before: of the next coarser level.

    finer: how many finer levels there are. near: (H, W), True for pixels that may be sources. check: called
    between rounds.
    """
    hole = level.hole
    pixels = level.pixels
    if before is not None:
        pixels = np.where(hole[:, :, None], doubled(before.averaged, hole.shape), pixels)
    texture = (_TEXTURE_WEIGHT * expected_strength(pixels, hole))[:, :, None]
    nowhere = np.full(hole.shape, -1, np.intp)
    sources = known_patches(hole, near)
    if not len(sources):
        return Filled(pixels, pixels, nowhere)
    space = PatchSpace(np.concatenate([pixels, texture], axis=2), hole, sources, random)
    trust = _TRUST_PER_PX ** -np.minimum(distance_to(~hole, _DEEPEST_PX), _DEEPEST_PX).ravel()[space.targets]
    places: Indices | None = None if before is None else _finer_places(before.places, space, hole.shape)
    for _ in range(_ROUNDS[min(finer, len(_ROUNDS) - 1)]):
        check()
        described = space.describe_targets(np.concatenate([pixels, texture], axis=2))
        places, distances = nearest(space, described, places, random)
        likeness = (
            np.exp(-distances / (2 * np.quantile(distances, 0.75) + np.float32(1e-3))) + _LEAST_LIKENESS
        )
        pixels, sharpest = _voted(pixels, hole, space, places, distances, likeness * trust)
    assert places is not None
    nowhere.ravel()[space.targets] = places
    return Filled(pixels, sharpest, nowhere)


def _finer_places(coarse: Indices, space: PatchSpace, shape: tuple[int, ...]) -> Indices | None:
    """The places at which the search begins: twice those of the coarser level. None if it had none."""
    coarse_height, coarse_width = coarse.shape
    rows, columns = np.divmod(space.targets, shape[1])
    found = coarse[np.minimum(rows // 2, coarse_height - 1), np.minimum(columns // 2, coarse_width - 1)]
    if (found < 0).all():
        return None
    found = np.where(found < 0, found.max(), found)
    finer_rows = np.minimum(2 * (found // coarse_width) + rows % 2, shape[0] - 1)
    finer_columns = np.minimum(2 * (found % coarse_width) + columns % 2, shape[1] - 1)
    finer: Indices = finer_rows * shape[1] + finer_columns
    return finer


def _voted(
    pixels: Plane, hole: Mask, space: PatchSpace, places: Indices, distances: Plane, weights: Plane
) -> tuple[Plane, Plane]:
    """Each pixel of the hole as the weighted mean of the patches over it, and as the most alike of them."""
    height, width = hole.shape
    inside = np.flatnonzero(hole)
    number = np.full((height + 2 * RADIUS_PX, width + 2 * RADIUS_PX), len(space.targets), np.int32)
    rows, columns = np.divmod(space.targets, width)
    number[rows + RADIUS_PX, columns + RADIUS_PX] = np.arange(len(space.targets), dtype=np.int32)
    # Patches centred outside the image come last and have no weight.
    weights = np.append(weights, 0).astype(np.float32)
    distances = np.append(distances, np.inf)
    places = np.append(places, space.sources[0])
    colours = pixels.reshape(height * width, -1)
    total = np.zeros(len(inside), np.float32)
    mean = np.zeros((len(inside), colours.shape[1]), np.float32)
    least = np.full(len(inside), np.inf, np.float32)
    best = inside.copy()
    rows, columns = np.divmod(inside, width)
    for down in range(-RADIUS_PX, RADIUS_PX + 1):
        for right in range(-RADIUS_PX, RADIUS_PX + 1):
            patch = number[rows + (down + RADIUS_PX), columns + (right + RADIUS_PX)]
            source = places[patch] - (down * width + right)
            weight = weights[patch]
            mean += weight[:, None] * colours[source]
            total += weight
            closer = distances[patch] < least
            least[closer] = distances[patch[closer]]
            best[closer] = source[closer]
    averaged, sharpest = pixels.copy(), pixels.copy()
    averaged.reshape(colours.shape)[inside] = mean / total[:, None]
    sharpest.reshape(colours.shape)[inside] = colours[best]
    return averaged, sharpest
