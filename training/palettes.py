"""Colours as photographs have them: mostly muted, a few hues per picture, some neutral, few saturated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours one picture draws from.

    ``hues`` are angles in the Cb/Cr plane (radians); ``chroma`` is the mean distance from grey in that plane
    (0 is neutral, 0.5 the edge of the gamut); ``dark`` and ``bright`` bound luma, both in [0, 1].
    """

    hues: tuple[float, ...]
    chroma: float
    dark: float
    bright: float

    def colour(self, rng: np.random.Generator) -> Floats:
        """One colour: shape (3,), RGB in [0, 1]."""
        extreme = rng.random()
        if extreme < 0.04:  # clipped highlights and blocked shadows are flat and common in photographs
            return np.full(3, float(extreme < 0.02), np.float32)
        luma = self.dark + (self.bright - self.dark) * rng.random()
        hue = self.hues[int(rng.integers(len(self.hues)))] + rng.normal(0.0, 0.25)
        distance = self.chroma * rng.gamma(2.0, 0.5)
        if rng.random() < 0.06:
            distance += rng.uniform(0.1, 0.3)
        return ycc_to_rgb(luma, distance * np.cos(hue), distance * np.sin(hue))


def make_palette(rng: np.random.Generator) -> Palette:
    """Draw the palette of one picture; one in fourteen is without colour."""
    hues = tuple(_hue(rng) for _ in range(int(rng.integers(1, 5))))
    neutral = rng.random() < 0.07
    dark = rng.uniform(0.0, 0.25)
    bright = rng.uniform(0.55, 1.0)
    return Palette(hues, 0.0 if neutral else float(rng.gamma(2.0, 0.045)), float(dark), float(bright))


def _hue(rng: np.random.Generator) -> float:
    """An angle in the Cb/Cr plane, radians: daylight and earth make orange and blue the commonest."""
    chance = rng.random()
    if chance < 0.45:
        return float(rng.normal(0.75 * np.pi, 0.35))
    if chance < 0.65:
        return float(rng.normal(-0.25 * np.pi, 0.35))
    return float(rng.uniform(0.0, 2.0 * np.pi))


def ycc_to_rgb(luma: float, blue: float, red: float) -> Floats:
    """Full-range BT.601 (ITU-R BT.601-7, 2.5) to RGB, clipped to [0, 1]: shape (3,), float32.

    ``luma`` is in [0, 1], ``blue`` (Cb) and ``red`` (Cr) in [-0.5, 0.5].
    """
    r = luma + 1.402 * red
    b = luma + 1.772 * blue
    g = (luma - 0.299 * r - 0.114 * b) / 0.587
    return np.clip(np.array([r, g, b], np.float32), 0.0, 1.0)
