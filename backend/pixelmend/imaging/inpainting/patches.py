"""Square patches described by a few numbers each, so that comparing two of them is cheap."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from pixelmend.imaging.inpainting.pyramid import Mask, Plane, dilated

Indices = NDArray[np.intp]
"""Flat indices of pixels: row * width + column."""

RADIUS_PX = 3
_SIDE = 2 * RADIUS_PX + 1
_SAMPLES = 4000
_DIMENSIONS = 20
"""Principal components of a patch; the rest is noise, which nearest neighbours should not follow."""
_ITERATIONS = 4
_AT_ONCE = 1 << 15
_FAR = np.float32(1e6)
"""A value that no component has, so that places that are no source are never nearest."""


class PatchSpace:
    """Describes patches of one image: those of `sources`, and any that change."""

    def __init__(self, features: Plane, hole: Mask, sources: Indices, random: Generator) -> None:
        """features: (H, W, K) float32; sources: centres of patches that are wholly known, at least one."""
        self.shape = hole.shape
        self.sources = sources
        self.targets: Indices = np.flatnonzero(dilated(hole, RADIUS_PX))
        windows = _windows(features)
        chosen = random.choice(sources, min(len(sources), _SAMPLES), replace=False)
        samples = _read(windows, chosen, hole.shape[1])
        self._mean = samples.mean(axis=0)
        samples -= self._mean
        self._basis = _principal(samples)
        self._row_of = np.zeros(hole.size, np.int32)
        self._row_of[sources] = np.arange(1, len(sources) + 1)
        self.described = np.empty((len(sources) + 1, self._basis.shape[1]), np.float32)
        self.described[0] = _FAR
        self.described[1:] = self._describe(windows, sources)

    def describe_targets(self, features: Plane) -> Plane:
        """(len(targets), dimensions) of the patches that see the hole, as they are in `features` now."""
        return self._describe(_windows(features), self.targets)

    def _describe(self, windows: Plane, places: Indices) -> Plane:
        result = np.empty((len(places), self._basis.shape[1]), np.float32)
        for start in range(0, len(places), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            result[part] = (_read(windows, places[part], self.shape[1]) - self._mean) @ self._basis
        return result

    def distance(self, described: Plane, candidates: Indices) -> Plane:
        """Squared distance of each target to the source at the place that is its candidate."""
        difference = self.described[self._row_of[candidates]] - described
        squared: Plane = np.einsum("nd,nd->n", difference, difference)
        return squared


def known_patches(hole: Mask, near: Mask) -> Indices:
    """Centres of the patches that are wholly known and inside the image, as far as they lie in `near`."""
    usable = ~dilated(hole, RADIUS_PX) & near
    usable[:RADIUS_PX] = usable[-RADIUS_PX:] = False
    usable[:, :RADIUS_PX] = usable[:, -RADIUS_PX:] = False
    places: Indices = np.flatnonzero(usable)
    return places


def _principal(samples: Plane) -> Plane:
    """(length, dimensions): about the principal components of (count, length), by orthogonal iteration.

    Not by `eigh`, which took 36 times as long with two threads on two busy cores as with one.
    """
    covariance = samples.T @ samples
    start = default_rng(0).standard_normal((len(covariance), min(_DIMENSIONS, len(covariance))))
    basis = start.astype(np.float32)
    for _ in range(_ITERATIONS):
        basis = np.linalg.qr(covariance @ basis)[0]
    return basis


def _windows(features: Plane) -> Plane:
    padded = np.pad(features, ((RADIUS_PX, RADIUS_PX), (RADIUS_PX, RADIUS_PX), (0, 0)), mode="symmetric")
    return sliding_window_view(padded, (_SIDE, _SIDE), axis=(0, 1))


def _read(windows: Plane, places: Indices, width: int) -> Plane:
    """(len(places), K * side * side)."""
    return windows[places // width, places % width].reshape(len(places), -1)
