"""Periodic grey textures: clouds, fur, ripples, weave and speckle, each with mean 0 and deviation 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def make_texture(rng: np.random.Generator, size: int) -> Floats:
    """One texture, shape (size, size), float32, mean 0, deviation 1, limited to [-3, 3].

    It repeats without a seam, so that a leaf of any size can be covered with it.
    """
    kind = rng.random()
    if kind < 0.40:
        field = _cloud(rng, size, stretch=1.0)
    elif kind < 0.70:
        field = _cloud(rng, size, stretch=float(rng.uniform(3.0, 14.0)))
    elif kind < 0.82:
        field = _ripples(rng, size)
    elif kind < 0.92:
        field = _weave(rng, size)
    else:
        field = _speckle(rng, size)
    field = field - field.mean()
    texture: Floats = np.clip(field / max(float(field.std()), 1e-6), -3.0, 3.0).astype(np.float32)
    return texture


def _cloud(rng: np.random.Generator, size: int, *, stretch: float) -> Floats:
    """Noise of spectrum 1/f^b, drawn out in one direction by ``stretch``: fur, grass, wood.

    Photographs have b near 1 in amplitude: Field, "Relations between the statistics of natural images and the
    response properties of cortical cells", 1987.
    """
    angle = rng.uniform(0.0, np.pi)
    row = np.fft.fftfreq(size)[:, None]
    column = np.fft.rfftfreq(size)[None, :]
    along = np.cos(angle) * column + np.sin(angle) * row
    across = -np.sin(angle) * column + np.cos(angle) * row
    radius = np.sqrt((along * stretch) ** 2 + across**2 + 1e-5)
    noise = np.fft.rfft2(rng.standard_normal((size, size)))
    field = np.fft.irfft2(noise * radius ** -rng.uniform(0.7, 1.8), s=(size, size))
    if rng.random() < 0.25:  # ridges: veins, cracks, creases
        field = np.abs(field)
    return field.astype(np.float32)


def _waves(rng: np.random.Generator, size: int, shortest: float) -> Floats:
    """The phase of a plane wave with a whole number of periods per side, bent by a slow field; radians."""
    limit = int(size / shortest)
    u, v = (int(n) for n in rng.integers(-limit, limit + 1, 2))
    axis = np.arange(size, dtype=np.float32) * np.float32(2.0 * np.pi / size)
    bend = rng.uniform(0.0, 1.5) * np.sin(axis[:, None] + rng.uniform(0, 6.3)) * np.sin(axis[None, :])
    phase: Floats = (u * axis[None, :] + (v or 1) * axis[:, None] + bend).astype(np.float32)
    return phase


def _ripples(rng: np.random.Generator, size: int) -> Floats:
    """Stripes between a sine and a square wave."""
    return np.tanh(np.sin(_waves(rng, size, 5.0)) * rng.uniform(0.5, 6.0)).astype(np.float32)


def _weave(rng: np.random.Generator, size: int) -> Floats:
    """Two crossing wave trains: cloth, tiles, brick, windows."""
    sharp = rng.uniform(1.0, 8.0)
    first = np.tanh(sharp * (np.sin(_waves(rng, size, 6.0)) + rng.uniform(-0.6, 0.8)))
    second = np.tanh(sharp * (np.sin(_waves(rng, size, 6.0)) + rng.uniform(-0.6, 0.8)))
    return (first * second if rng.random() < 0.5 else np.minimum(first, second)).astype(np.float32)


def _speckle(rng: np.random.Generator, size: int) -> Floats:
    """A cloud cut at a level: gravel, foliage, spots."""
    cloud = _cloud(rng, size, stretch=float(rng.uniform(1.0, 2.0)))
    level = np.quantile(cloud, rng.uniform(0.3, 0.8))
    cut: Floats = np.tanh((cloud - level) / (cloud.std() + 1e-6) * rng.uniform(2.0, 10.0)).astype(np.float32)
    return cut
