"""PSNR by plane."""

from __future__ import annotations

import numpy as np
import pytest

from training.metrics import psnr


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
