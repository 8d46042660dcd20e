"""Periodic grey textures: clouds, fur, ripples, weave, speckle and litter, of mean 0 and deviation 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.thickets import draw_fur, draw_litter

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TextureConfig:
    """How often a texture is ``drawn``, not filtered; and how often ``uneven``: strong here, weak there."""

    drawn: float = 0.45
    uneven: float = 0.5


def make_texture(rng: np.random.Generator, size: int, config: TextureConfig) -> Floats:
    """One texture, shape (size, size), float32, mean 0, deviation 1, limited to [-3, 3].

    It repeats without a seam, so that a leaf of any size can be covered with it.
    """
    # No odds, no draw: the pictures that pixelmend-x4 was trained on were drawn so.
    if config.drawn and rng.random() < config.drawn:
        field = draw_fur(rng, size) if rng.random() < 0.5 else draw_litter(rng, size)
    else:
        field = _filtered(rng, size)
    field = _normal(field)
    if config.uneven and rng.random() < config.uneven:
        field = _normal(field * np.exp(np.float32(0.7) * _normal(_cloud(rng, size, stretch=1.0))))
    return np.clip(field, -3.0, 3.0)


def _normal(field: Floats) -> Floats:
    field = field - field.mean()
    normal: Floats = (field / max(float(field.std()), 1e-6)).astype(np.float32)
    return normal


def _filtered(rng: np.random.Generator, size: int) -> Floats:
    kind = rng.random()
    if kind < 0.40:
        return _cloud(rng, size, stretch=1.0)
    if kind < 0.70:
        return _cloud(rng, size, stretch=float(rng.uniform(3.0, 14.0)))
    if kind < 0.82:
        return _ripples(rng, size)
    if kind < 0.92:
        return _weave(rng, size)
    return _speckle(rng, size)


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
