"""Thin things drawn over the leaves: hair, wires, railings and writing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from training.palettes import Palette

Floats = NDArray[np.float32]

# Strokes are drawn at twice the size and averaged, so that their edges are smooth.
SUPERSAMPLE = 2
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:;!?&%+-=/()#@"


def draw_mark(rng: np.random.Generator, canvas: Floats, palette: Palette) -> None:
    """Draw one bundle of strokes or one block of writing at a random place of ``canvas``, in place.

    ``canvas`` is (h, w, 3) float32 in [0, 1].
    """
    height, width = canvas.shape[:2]
    box_h = int(min(height, rng.integers(48, 320)))
    box_w = int(min(width, rng.integers(48, 320)))
    top = int(rng.integers(0, height - box_h + 1))
    left = int(rng.integers(0, width - box_w + 1))
    cover = Image.new("L", (box_w * SUPERSAMPLE, box_h * SUPERSAMPLE), 0)
    kind = rng.random()
    shade = cover
    if kind < 0.5:
        shade = _strokes(rng, cover)
    elif kind < 0.75:
        _railing(rng, cover)
    else:
        _writing(rng, cover)
    alpha = _shrink(cover)[..., None] * np.float32(rng.uniform(0.5, 1.0))
    colour = palette.colour(rng)
    if shade is not cover:
        light = _shrink(shade)[..., None]
        # Strokes of one bundle differ in lightness; the bound avoids a division by 0 beside them.
        relative = light / np.maximum(_shrink(cover)[..., None], np.float32(1e-3))
        ink: Floats = np.clip(colour * (np.float32(0.4) + relative), 0.0, 1.0).astype(np.float32)
    else:
        ink = np.broadcast_to(colour, (*alpha.shape[:2], 3))
    region = canvas[top : top + box_h, left : left + box_w]
    region += alpha * (ink - region)


def _shrink(image: Image.Image) -> Floats:
    """Average ``SUPERSAMPLE`` squared pixels into one: (h, w) float32 in [0, 1]."""
    return np.asarray(image.reduce(SUPERSAMPLE), np.float32) / np.float32(255.0)


def _curve(rng: np.random.Generator, size: tuple[int, int], heading: float, bend: float) -> list[float]:
    """Points x, y, x, y, ... of a curve that starts anywhere and turns by ``bend`` radians."""
    length = rng.uniform(0.3, 1.2) * max(size)
    steps = 12
    angles = heading + np.linspace(0.0, bend, steps)
    x = rng.uniform(-0.2, 1.2) * size[0] + np.cumsum(np.cos(angles)) * length / steps
    y = rng.uniform(-0.2, 1.2) * size[1] + np.cumsum(np.sin(angles)) * length / steps
    return [float(p) for p in np.stack((x, y), axis=1).reshape(-1)]


def _strokes(rng: np.random.Generator, cover: Image.Image) -> Image.Image:
    """A bundle of curves, nearly parallel or quite wild; returns how light each one is, premultiplied."""
    shade = Image.new("L", cover.size, 0)
    pens = ImageDraw.Draw(cover), ImageDraw.Draw(shade)
    heading, spread = rng.uniform(0.0, 2.0 * np.pi), rng.choice([0.08, 0.25, 3.0])
    bend, widest = rng.normal(0.0, 0.6), float(rng.choice([2.0, 3.0, 6.0, 14.0]))
    for _ in range(int(rng.integers(2, 90 if widest < 5.0 else 16))):
        points = _curve(rng, cover.size, heading + rng.normal(0.0, spread), bend + rng.normal(0.0, 0.2))
        width = max(1, round(float(rng.uniform(0.4, 1.0)) * widest))
        pens[0].line(points, fill=255, width=width)
        pens[1].line(points, fill=int(rng.integers(60, 256)), width=width)
    return shade


def _railing(rng: np.random.Generator, cover: Image.Image) -> None:
    """Parallel straight lines at one distance, sometimes crossed by others: fences, blinds, facades."""
    pen = ImageDraw.Draw(cover)
    reach = float(max(cover.size)) * 1.5
    heading = rng.choice([0.0, np.pi / 2.0, rng.uniform(0.0, np.pi)])
    for angle in _headings(rng, heading):
        gap = rng.uniform(8.0, 50.0)
        width = max(1, round(float(gap * rng.uniform(0.1, 0.6))))
        across, along = (np.sin(angle), -np.cos(angle)), (np.cos(angle), np.sin(angle))
        for place in np.arange(-reach, reach, gap):
            x, y = cover.size[0] / 2 + across[0] * place, cover.size[1] / 2 + across[1] * place
            ends = [x - along[0] * reach, y - along[1] * reach, x + along[0] * reach, y + along[1] * reach]
            pen.line([float(e) for e in ends], fill=255, width=width)


def _headings(rng: np.random.Generator, heading: float) -> Iterator[float]:
    yield heading
    if rng.random() < 0.35:
        yield heading + np.pi / 2.0


def _writing(rng: np.random.Generator, cover: Image.Image) -> None:
    """Lines of random letters, sometimes turned."""
    size = float(rng.uniform(16.0, 90.0))
    font = ImageFont.load_default(size)
    pen = ImageDraw.Draw(cover)
    for top in np.arange(0.0, cover.size[1], size * rng.uniform(1.0, 1.6)):
        letters = rng.choice(list(LETTERS + " " * 14), int(rng.integers(3, 40)))
        pen.text((float(rng.uniform(-10.0, 30.0)), float(top)), "".join(letters), fill=255, font=font)
    if rng.random() < 0.4:
        cover.paste(cover.rotate(float(rng.uniform(-40.0, 40.0)), Image.Resampling.BICUBIC))
