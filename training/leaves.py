"""Procedural pictures in the manner of dead leaves: shapes that hide one another, then a camera.

The generator knows nothing of torch, so that worker processes start quickly, and takes all its randomness
from the numpy generator it is given: the same seed makes the same picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from training.marks import draw_mark
from training.palettes import Palette, make_palette
from training.shapes import outline, power_law_sizes
from training.textures import TextureConfig, make_texture

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

# From soft to sharp, as lenses and cameras differ.
REDUCERS = (
    Image.Resampling.BOX,
    Image.Resampling.HAMMING,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
)


@dataclass(frozen=True, slots=True)
class LeafConfig:
    """What a picture is made of; lengths are in pixels of the finished picture.

    ``two_toned`` is how often a textured leaf goes from one colour to another with its texture.
    """

    size: int = 384
    fewest: int = 100
    most: int = 1600
    smallest_radius: float = 1.5
    reduction: tuple[float, float] = (1.2, 2.6)
    most_marks: int = 14
    texture_size: int = 256
    textures: int = 6
    texture: TextureConfig = field(default_factory=TextureConfig)
    two_toned: float = 0.3


# What pixelmend-x4 and pixelmend-x2 were trained on.
PLAIN = LeafConfig(fewest=250, texture=TextureConfig(drawn=0.0, uneven=0.0), two_toned=0.0)


@dataclass(frozen=True, slots=True)
class Surface:
    """What the leaves of one picture are covered with; ``flatness`` is the share of one colour each."""

    palette: Palette
    textures: list[Floats]
    flatness: float
    two_toned: float


def make_picture(rng: np.random.Generator, config: LeafConfig) -> Bytes:
    """One picture: (size, size, 3) uint8, RGB.

    It is drawn 1.2 to 2.6 times too large and reduced, which gives edges the sharpness of a photograph's.
    """
    canvas_size = round(config.size * rng.uniform(*config.reduction))
    palette = make_palette(rng)
    textures = [make_texture(rng, config.texture_size, config.texture) for _ in range(config.textures)]
    canvas: Floats = np.empty((canvas_size, canvas_size, 3), np.float32)
    canvas[:] = palette.colour(rng)
    count = int(np.exp(rng.uniform(np.log(config.fewest), np.log(config.most))))
    smallest = config.smallest_radius * canvas_size / config.size * rng.uniform(0.8, 3.0)
    radii = power_law_sizes(rng, count, smallest, canvas_size * 0.4, float(rng.uniform(1.6, 3.0)))
    # A tenth are large whatever the law says, so that little of the bare ground remains.
    radii[: count // 10] = np.exp(rng.uniform(np.log(0.06), np.log(0.4), count // 10)) * canvas_size
    # Small leaves mostly lie on large ones, else most of them would never be seen.
    order = np.argsort(np.log(radii) + rng.normal(0.0, 0.9, count))[::-1]
    surface = Surface(palette, textures, rng.random() ** 2, config.two_toned)
    softness = float(np.exp(rng.normal(-0.1, 0.4)))
    focus = int(rng.integers(count)) if rng.random() < 0.3 else -1
    for index, radius in enumerate(radii[order]):
        if index == focus:  # what lies behind is out of focus
            canvas = _blurred(canvas, float(rng.uniform(1.0, 6.0)))
        _draw_leaf(rng, canvas, surface, float(radius), softness)
    for _ in range(int((config.most_marks + 1) * rng.random() ** 1.5)):
        draw_mark(rng, canvas, palette)
    if rng.random() < 0.4:
        _light(rng, canvas)
    return _photograph(rng, canvas, config.size)


def _draw_leaf(
    rng: np.random.Generator,
    canvas: Floats,
    surface: Surface,
    radius: float,
    softness: float,
) -> None:
    """Draw one leaf at a random place of ``canvas``, in place."""
    size = canvas.shape[0]
    cx, cy = rng.uniform(-0.1 * size, 1.1 * size, 2)
    reach = radius * 1.5 + 2.0
    left, right = max(0, int(cx - reach)), min(size, int(cx + reach) + 1)
    top, bottom = max(0, int(cy - reach)), min(size, int(cy + reach) + 1)
    if left >= right or top >= bottom:
        return
    x = (np.arange(left, right, dtype=np.float32) - np.float32(cx))[None, :]
    y = (np.arange(top, bottom, dtype=np.float32) - np.float32(cy))[:, None]
    distance = outline(rng, radius, x, y)
    edge = softness * (1.0 if rng.random() < 0.85 else rng.uniform(2.0, 12.0))
    alpha = np.clip(distance / np.float32(edge) + np.float32(0.5), 0.0, 1.0)
    if rng.random() < 0.1:
        alpha *= np.float32(rng.uniform(0.3, 0.9))
    region = canvas[top:bottom, left:right]
    if radius > 6.0 and rng.random() < 0.3:  # the shadow it throws on what is below
        shadow = np.clip(distance / np.float32(radius * 0.3) + np.float32(1.0), 0.0, 1.0)
        region *= (np.float32(1.0) - np.float32(rng.uniform(0.1, 0.5)) * shadow)[..., None]
    paint = _paint(rng, surface, radius, x, y)
    region += alpha[..., None] * (paint - region)
    if radius > 8.0 and rng.random() < 0.25:  # rounded: darker towards the edge
        rim = np.clip(np.float32(1.0) - distance / np.float32(radius * 0.5), 0.0, 1.0) * alpha
        region *= (np.float32(1.0) - np.float32(rng.uniform(0.1, 0.5)) * rim)[..., None]


def _paint(rng: np.random.Generator, surface: Surface, radius: float, x: Floats, y: Floats) -> Floats:
    """The leaf's surface: (h, w, 3) float32 in [0, 1], or (1, 1, 3) if it has one colour."""
    palette, textures = surface.palette, surface.textures
    colour = palette.colour(rng)
    if rng.random() < surface.flatness:
        return colour[None, None, :]
    paint = np.broadcast_to(colour, (y.shape[0], x.shape[1], 3))
    if rng.random() < 0.6:
        slope = rng.normal(0.0, 0.5, 2) / max(radius, 4.0)
        ramp = np.float32(slope[0]) * x + np.float32(slope[1]) * y
        paint = paint + ramp[..., None] * (palette.colour(rng) - colour)
    if rng.random() < 0.75:
        texture = textures[int(rng.integers(len(textures)))]
        period = texture.shape[0]
        down, across = rng.integers(0, period, 2)
        rows = (np.arange(y.shape[0]) + down) % period
        columns = (np.arange(x.shape[1]) + across) % period
        grain = texture[rows[:, None], columns[None, :]]
        if surface.two_toned and rng.random() < surface.two_toned:
            share = np.clip(np.float32(0.5) + np.float32(rng.uniform(0.1, 0.45)) * grain, 0.0, 1.0)
            blend: Floats = np.clip(paint + share[..., None] * (palette.colour(rng) - colour), 0.0, 1.0)
            return blend
        contrast = np.float32(rng.gamma(1.5, 0.045))
        tint = np.float32(1.0) + rng.normal(0.0, 0.25, 3).astype(np.float32)
        paint = paint + (contrast * grain)[..., None] * tint
    return np.clip(paint, 0.0, 1.0)


def _light(rng: np.random.Generator, canvas: Floats) -> None:
    """Uneven light across the whole picture, in place."""
    size = canvas.shape[0]
    axis = np.linspace(-1.0, 1.0, size, dtype=np.float32)
    slope = rng.normal(0.0, 0.3, 2)
    gain = np.exp(np.float32(slope[0]) * axis[None, :] + np.float32(slope[1]) * axis[:, None])
    canvas *= gain[..., None]


def _to_image(canvas: Floats) -> Image.Image:
    return Image.fromarray((np.clip(canvas, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8))


def _blurred(canvas: Floats, radius: float) -> Floats:
    blurred = _to_image(canvas).filter(ImageFilter.GaussianBlur(radius))
    return np.asarray(blurred, np.float32) / np.float32(255.0)


def _photograph(rng: np.random.Generator, canvas: Floats, size: int) -> Bytes:
    """Lens, reduction, sharpening, tone and sensor: (size, size, 3) uint8."""
    image = _to_image(canvas)
    if rng.random() < 0.35:
        image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.4, 1.4))))
    image = image.resize((size, size), REDUCERS[int(rng.integers(len(REDUCERS)))])
    if rng.random() < 0.3:
        image = image.filter(ImageFilter.UnsharpMask(1.0, int(rng.integers(20, 90)), 0))
    pixels = np.asarray(image, np.float32) / np.float32(255.0)
    if rng.random() < 0.4:
        pixels = pixels ** np.float32(np.exp(rng.normal(0.0, 0.25)))
    if rng.random() < 0.5:
        noise = rng.standard_normal(pixels.shape, np.float32) * np.float32(rng.gamma(1.5, 0.004))
        pixels = pixels + noise * (np.float32(0.4) + np.sqrt(pixels))
    rounded: Bytes = (np.clip(pixels, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
    return rounded
