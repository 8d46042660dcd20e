"""Procedural pictures: repeatable, well formed, and statistically something like photographs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from training.leaves import PLAIN, LeafConfig, make_picture
from training.palettes import make_palette, ycc_to_rgb
from training.shapes import outline, power_law_sizes
from training.textures import TextureConfig, make_texture
from training.thickets import draw_fur, draw_litter

pytestmark = pytest.mark.full

SMALL = LeafConfig(size=96, fewest=40, most=120, texture_size=64)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_one_seed_makes_one_picture(seed: int) -> None:
    first = make_picture(np.random.default_rng(seed), SMALL)
    again = make_picture(np.random.default_rng(seed), SMALL)
    other = make_picture(np.random.default_rng(seed + 100), SMALL)
    assert first.shape == (96, 96, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_pictures_have_edges_flats_and_muted_colours() -> None:
    pictures = [make_picture(np.random.default_rng((3, i)), SMALL).astype(np.float64) for i in range(24)]
    luma = np.stack([p @ (0.299, 0.587, 0.114) for p in pictures])
    assert 60.0 < luma.mean() < 200.0
    assert luma.std() > 30.0
    steps = np.diff(luma, axis=2)
    # Gradients of photographs are far more peaked than a normal distribution, whose kurtosis is 3.
    assert (steps**4).mean() / (steps**2).mean() ** 2 > 6.0
    spread = np.median([np.ptp(p, axis=2).mean() for p in pictures])
    assert 5.0 < spread < 80.0


def test_some_pictures_have_no_colour() -> None:
    palettes = [make_palette(np.random.default_rng(i)) for i in range(200)]
    neutral = [p for p in palettes if p.chroma == 0.0]
    assert 4 <= len(neutral) <= 30


def test_colours_stay_in_range_and_white_and_black_occur() -> None:
    rng = np.random.default_rng(4)
    colours = np.stack([make_palette(rng).colour(rng) for _ in range(600)])
    assert colours.min() >= 0.0
    assert colours.max() <= 1.0
    assert (colours == 1.0).all(axis=1).any()
    assert (colours == 0.0).all(axis=1).any()


def test_ycc_to_rgb_knows_grey_and_red() -> None:
    assert ycc_to_rgb(0.25, 0.0, 0.0) == pytest.approx([0.25, 0.25, 0.25])
    assert ycc_to_rgb(0.299, -0.299 / 1.772, 0.5) == pytest.approx([1.0, 0.0, 0.0], abs=1e-5)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("drawn", "uneven"), [(0.0, 0.0), (1.0, 0.0), (0.5, 1.0)])
def test_textures_are_normalised_and_without_seam(seed: int, drawn: float, uneven: float) -> None:
    texture = make_texture(np.random.default_rng(seed), 64, TextureConfig(drawn, uneven))
    assert texture.dtype == np.float32
    assert abs(float(texture.mean())) < 0.1
    assert 0.7 < float(texture.std()) <= 1.01
    inside = np.abs(np.diff(texture, axis=0)).mean(axis=1)
    seam = np.abs(texture[0] - texture[-1]).mean()
    assert seam <= inside.max() * 1.5 + 0.05


@pytest.mark.parametrize("draw", [draw_fur, draw_litter])
@pytest.mark.parametrize("seed", range(6))
def test_what_is_drawn_has_edges_and_hides_the_ground(
    draw: Callable[[np.random.Generator, int], NDArray[np.float32]], seed: int
) -> None:
    texture = draw(np.random.default_rng(seed), 128)
    assert texture.shape == (128, 128)
    assert 0.0 <= texture.min() < texture.max() <= 1.0
    commonest = np.bincount((texture * 255.0).astype(int).ravel()).max() / texture.size
    assert commonest < 0.75
    steps = np.diff(texture, axis=1).astype(np.float64)
    # Filtered noise has normal steps, of kurtosis 3.
    assert (steps**4).mean() / (steps**2).mean() ** 2 > 4.0


def test_plain_pictures_are_those_the_first_networks_saw() -> None:
    """A digest of what training/leaves.py drew before textures were drawn too."""
    pictures = [make_picture(np.random.default_rng((9, 0, i)), replace(PLAIN, size=200)) for i in range(4)]
    assert sum(int(picture.astype(np.int64).sum()) for picture in pictures) == 42082634
    rich = make_picture(np.random.default_rng((9, 0, 0)), LeafConfig(size=200))
    assert not np.array_equal(rich, pictures[0])


def test_power_law_sizes_fall_as_they_should() -> None:
    radii = power_law_sizes(np.random.default_rng(5), 20_000, 2.0, 200.0, 3.0)
    assert radii.min() >= 2.0 * 0.999
    assert radii.max() <= 200.0 * 1.001
    # With density r^-3 the share beyond r is (2 / r)^2, nearly.
    assert (radii > 4.0).mean() == pytest.approx(0.25, abs=0.02)
    assert (radii > 20.0).mean() == pytest.approx(0.01, abs=0.004)


@pytest.mark.parametrize("seed", range(30))
def test_outlines_are_distances_in_pixels(seed: int) -> None:
    axis = np.arange(-60, 61, dtype=np.float32)
    distance = outline(np.random.default_rng(seed), 20.0, axis[None, :], axis[:, None])
    assert distance.shape == (121, 121)
    assert distance.max() > 0.0
    assert distance.max() <= 20.0 * 1.6
    near = np.abs(distance[:, :-1]) < 3.0
    slopes = np.hypot(np.diff(distance, axis=1)[:-1], np.diff(distance, axis=0)[:, :-1])
    assert np.quantile(slopes[near[:-1]], 0.9) < 1.7
