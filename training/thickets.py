"""Periodic grey textures that are drawn: gravel and leaves by the thousand, fur and grass hair by hair.

Noise, however it is filtered, has no edges; what covers photographs mostly has: each grain hides part of
another.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from training.shapes import power_law_sizes

Floats = NDArray[np.float32]

# Drawn at twice the size and averaged, so that edges are smooth.
SUPERSAMPLE = 2


def draw_litter(rng: np.random.Generator, size: int) -> Floats:
    """Small ellipses and splinters that hide one another, sizes by a power law: (size, size), in [0, 1]."""
    sheet, pen = _sheet(rng, size)
    side = sheet.size[0]
    smallest = float(rng.uniform(1.0, 3.5)) * SUPERSAMPLE
    largest = smallest * float(rng.uniform(2.5, 9.0))
    radii = power_law_sizes(rng, 4 * side, smallest, largest, float(rng.uniform(1.8, 3.2)))
    # Enough to hide the ground twice over, and no more.
    count = int(np.searchsorted(np.cumsum(radii**2), 1.6 * side * side))
    order = np.argsort(np.log(radii[:count]) + rng.normal(0.0, 0.6, count))[::-1]
    aspect, corners = float(rng.uniform(0.25, 1.0)), int(rng.integers(3, 7))
    heading, spread = rng.uniform(0.0, np.pi), float(rng.choice([0.2, 3.0]))
    splinters = rng.random() < 0.5
    tones = _tones(rng, count)
    turns = heading + rng.normal(0.0, spread, count)
    places = rng.uniform(0.0, side, (count, 2))
    angles = np.arange(corners if splinters else 10) * (2.0 * np.pi / (corners if splinters else 10))
    for radius, tone, turn, place in zip(radii[order], tones, turns, places, strict=True):
        along, across = radius * np.cos(angles), radius * aspect * np.sin(angles)
        outline = np.stack(
            (np.cos(turn) * along - np.sin(turn) * across, np.sin(turn) * along + np.cos(turn) * across), 1
        )
        for shift in _repeats(place, float(radius), side):
            pen.polygon([(float(x), float(y)) for x, y in outline + place + shift], fill=int(tone))
    return _shrink(sheet)


def draw_fur(rng: np.random.Generator, size: int) -> Floats:
    """Short hairs along one slowly turning field, each of its own lightness: (size, size), in [0, 1]."""
    sheet, pen = _sheet(rng, size)
    side = sheet.size[0]
    length = float(rng.uniform(8.0, 45.0)) * SUPERSAMPLE
    width = float(rng.uniform(1.0, 3.0)) * SUPERSAMPLE
    count = int(1.5 * side * side / (length * width))
    heading, sway, spread = rng.uniform(0.0, np.pi), rng.uniform(0.0, 0.9), float(rng.choice([0.08, 0.3]))
    phase = rng.uniform(0.0, 2.0 * np.pi, 2)
    places = rng.uniform(0.0, side, (count, 2))
    turned = np.sin(places * (2.0 * np.pi / side) + phase).sum(axis=1) * sway
    headings = heading + turned + rng.normal(0.0, spread, count)
    bends = rng.normal(0.0, 0.35, count)
    tones = _tones(rng, count)
    widths = np.maximum(1, np.rint(width * rng.uniform(0.5, 1.2, count))).astype(int)
    steps = np.linspace(0.0, length, 4)
    for place, angle, bend, tone, thick in zip(places, headings, bends, tones, widths, strict=True):
        turns = angle + bend * steps / length
        hair = np.cumsum(np.stack((np.cos(turns), np.sin(turns)), 1) * (length / 3.0), axis=0)
        for shift in _repeats(place, length * 1.4, side):
            points = [(float(x), float(y)) for x, y in hair + place + shift]
            pen.line(points, fill=int(tone), width=int(thick))
    return _shrink(sheet)


def _sheet(rng: np.random.Generator, size: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    side = size * SUPERSAMPLE
    sheet = Image.new("L", (side, side), int(rng.integers(0, 256)))
    return sheet, ImageDraw.Draw(sheet)


def _tones(rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    """From nearly all alike with a few that stand out, to evenly spread."""
    tones = 128.0 + 40.0 * rng.standard_t(float(rng.uniform(2.0, 20.0)), count)
    return np.clip(tones, 0.0, 255.0).astype(np.int64)


def _repeats(place: NDArray[np.float64], reach: float, side: int) -> list[NDArray[np.float64]]:
    """By how much to shift what lies at ``place``, so that what leaves the sheet comes in opposite."""
    shifts = []
    for axis in range(2):
        near = [0.0]
        if place[axis] < reach:
            near.append(float(side))
        if place[axis] > side - reach:
            near.append(-float(side))
        shifts.append(near)
    return [np.array(shift) for shift in product(*shifts)]


def _shrink(sheet: Image.Image) -> Floats:
    return np.asarray(sheet.reduce(SUPERSAMPLE), np.float32) / np.float32(255.0)
