"""Metrics: what they see and what they leave out."""

from __future__ import annotations

import numpy as np
import pytest

from training.degrade import compress
from training.metrics import compare, psnr, seam_step, ssim
from training.photos import photo
from training.reduction import reduce_image


def test_a_grey_step_costs_luma_only() -> None:
    truth = np.full((20, 20, 3), 100, np.uint8)
    score = psnr(truth + np.uint8(10), truth)
    # 219 / 255 of a step of 10: studio range
    assert score.y == pytest.approx(20.0 * np.log10(255.0 / (10.0 * 219.0 / 255.0)), abs=1e-3)
    assert score.cb > 80.0
    assert score.cr > 80.0


def test_the_border_does_not_count() -> None:
    truth = np.full((20, 20, 3), 100, np.uint8)
    spoilt = truth.copy()
    spoilt[:4] = 0
    spoilt[:, -4:] = 255
    assert psnr(spoilt, truth).y > 100.0
    spoilt[4, 4] = 0
    assert psnr(spoilt, truth).y < 50.0


def test_nothing_is_more_alike_than_the_same_picture() -> None:
    truth = photo("coffee")
    same = compare(truth, truth)
    assert (same.ssim, same.haarpsi) == pytest.approx((1.0, 1.0), abs=1e-5)
    assert same.psnr.y > 100.0
    worse = [compare(compress(truth, quality), truth) for quality in (80, 20)]
    assert 1.0 > worse[0].ssim > worse[1].ssim > 0.3
    assert 1.0 > worse[0].haarpsi > worse[1].haarpsi > 0.3


def test_structure_is_not_a_matter_of_colour() -> None:
    truth = np.random.default_rng(0).integers(60, 180, (40, 40, 3), np.uint8)
    bluer = truth.copy()
    bluer[..., 2] += 40
    bluer[..., 1] -= 8  # 40 * 24.966 / 128.553, so that luma stays, nearly
    assert ssim(bluer, truth) > 0.99
    assert psnr(bluer, truth).cb < 30.0


def test_blocks_are_seen_where_they_are() -> None:
    low = reduce_image(photo("chelsea"), 2)
    assert abs(seam_step(low, 8)) < 0.4
    assert seam_step(compress(low, 20), 8) > 1.5
    assert abs(seam_step(compress(low, 20), 7)) < 0.5
