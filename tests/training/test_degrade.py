"""Degraded pictures: repeatable, in place, of every kind, and as bad as asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from training.degrade import DegradeConfig, add_noise, compress, degrade
from training.leaves import LeafConfig, make_picture
from training.reduction import reduce_image

pytestmark = pytest.mark.full

Bytes = NDArray[np.uint8]
CONFIG = DegradeConfig()
CHAIN = replace(CONFIG, untouched=0.0, mild=0.0)
PICTURE = make_picture(np.random.default_rng(5), LeafConfig(size=192, fewest=60, most=90, texture_size=64))


def luma(picture: Bytes) -> NDArray[np.float64]:
    planes: NDArray[np.float64] = picture @ np.array((0.299, 0.587, 0.114))
    return planes


@pytest.mark.parametrize("scale", [2, 4])
def test_a_seed_makes_one_low_picture_of_the_right_size(scale: int) -> None:
    for seed in range(8):
        first, again = (degrade(np.random.default_rng(seed), PICTURE, scale, CONFIG) for _ in range(2))
        assert first.shape == (192 // scale, 192 // scale, 3)
        assert first.dtype == np.uint8
        assert np.array_equal(first, again)


def test_shares_are_kept() -> None:
    plain = reduce_image(PICTURE, 4)
    rng = np.random.default_rng(0)
    untouched = [np.array_equal(degrade(rng, PICTURE, 4, CONFIG), plain) for _ in range(300)]
    assert 6 <= sum(untouched) <= 36


def test_the_chain_moves_nothing() -> None:
    """Degraded pictures, averaged, fit the plain reduction best where they are, not a pixel beside."""
    rng = np.random.default_rng(1)
    mean = np.mean([luma(degrade(rng, PICTURE, 4, CHAIN)) for _ in range(40)], axis=0)
    plain = luma(reduce_image(PICTURE, 4))
    inner = (slice(4, -4), slice(4, -4))
    errors = {
        (down, across): float(((np.roll(mean, (down, across), (0, 1)) - plain)[inner] ** 2).mean())
        for down in (-1, 0, 1)
        for across in (-1, 0, 1)
    }
    assert min(errors, key=lambda shift: errors[shift]) == (0, 0)
    for one, other in (((0, 1), (0, -1)), ((1, 0), (-1, 0))):  # no half pixel either
        assert errors[one] == pytest.approx(errors[other], rel=0.4)


def test_flat_pictures_keep_their_tone() -> None:
    """No stage darkens: neither the blur's border nor rounding."""
    quiet = replace(
        CHAIN,
        first=replace(CHAIN.first, blur_odds=1.0, noise_odds=0.0),
        second=replace(CHAIN.second, blur_odds=1.0, noise_odds=0.0),
        sinc_odds=1.0,
    )
    flat = np.full((96, 96, 3), 100, np.uint8)
    for seed in range(10):
        low = degrade(np.random.default_rng(seed), flat, 4, quiet)
        assert np.abs(low.astype(int) - 100).max() <= 1


def test_noise_and_compression_are_as_strong_as_asked() -> None:
    flat = np.full((64, 64, 3), 128, np.uint8)
    noisy = add_noise(np.random.default_rng(0), flat, 5.0)
    assert noisy.std() == pytest.approx(5.0, rel=0.05)
    low = reduce_image(PICTURE, 2)
    errors = [float(((luma(compress(low, quality)) - luma(low)) ** 2).mean()) for quality in (20, 50, 90)]
    assert errors[0] > errors[1] > errors[2] > 0.0
