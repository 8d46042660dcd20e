"""Outlines of leaves as signed distances in pixels: positive inside, about zero on the edge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def power_law_sizes(
    rng: np.random.Generator, count: int, smallest: float, largest: float, exponent: float
) -> Floats:
    """``count`` radii in [smallest, largest] with density r^-exponent, exponent > 1: shape (count,).

    An exponent of 3 makes the picture's statistics independent of scale: Lee, Mumford and Huang, "Occlusion
    models for natural images", 2001.
    """
    power = 1.0 - exponent
    low, high = smallest**power, largest**power
    radii: Floats = ((low + rng.random(count) * (high - low)) ** (1.0 / power)).astype(np.float32)
    return radii


def outline(rng: np.random.Generator, radius: float, x: Floats, y: Floats) -> Floats:
    """Signed distance to a random outline about the origin, in pixels (approximate away from the edge).

    ``x`` is (1, w) and ``y`` (h, 1), pixel coordinates relative to the leaf's centre; the result is (h, w)
    float32. Nearly all that is inside lies within 1.5 ``radius``; sharp corners reach further.
    """
    angle = rng.uniform(0.0, 2.0 * np.pi)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    u, v = cos * x + sin * y, cos * y - sin * x
    aspect = np.exp(-np.abs(rng.normal(0.0, 0.6)))
    a, b = np.float32(radius), np.float32(max(radius * aspect, 0.7))
    kind = rng.random()
    if kind < 0.28:
        return _ellipse(u, v, a, b)
    if kind < 0.50:
        return np.minimum(a - np.abs(u), b - np.abs(v))
    if kind < 0.75:
        return _polygon(rng, u, v, a, b)
    if kind < 0.90 or radius > 200.0:
        return _blob(rng, u, v, a)
    if kind < 0.95:  # a crescent: one ellipse less another
        return np.minimum(_ellipse(u, v, a, b), -_ellipse(u - a * np.float32(0.4), v, a, b))
    ring = np.float32(rng.uniform(0.08, 0.4)) * b
    distance: Floats = ring - np.abs(_ellipse(u, v, a, b) - ring)
    return distance


def _ellipse(u: Floats, v: Floats, a: np.float32, b: np.float32) -> Floats:
    distance: Floats = (np.float32(1.0) - np.sqrt((u / a) ** 2 + (v / b) ** 2)) * min(a, b)
    return distance


def _polygon(rng: np.random.Generator, u: Floats, v: Floats, a: np.float32, b: np.float32) -> Floats:
    """The intersection of 3 to 7 half planes."""
    corners = int(rng.integers(3, 8))
    angles = (np.arange(corners) + rng.uniform(-0.35, 0.35, corners)) * (2.0 * np.pi / corners)
    reach = rng.uniform(0.55, 1.0, corners)
    inside: Floats | None = None
    for angle, far in zip(angles, reach, strict=True):
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        side = np.float32(far) * (b + (a - b) * np.abs(cos)) - (cos * u + sin * v)
        inside = side if inside is None else np.minimum(inside, side)
    assert inside is not None
    return inside


def _blob(rng: np.random.Generator, u: Floats, v: Floats, a: np.float32) -> Floats:
    """A circle whose radius wavers with the angle."""
    angle = np.arctan2(v, u)
    radius = np.ones_like(angle)
    for wave in range(2, 6):
        radius += np.float32(rng.normal(0.0, 0.28 / wave)) * np.cos(
            np.float32(wave) * angle + np.float32(rng.uniform(0, 6.3))
        )
    distance: Floats = a * radius * np.float32(0.8) - np.hypot(u, v)
    return distance
