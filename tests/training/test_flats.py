"""Flat greys are kept, at next to no cost to anything else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from pixelmend.engine.backends.compact import from_state
from training.export import cost_of_changes
from training.flats import keep_flats
from training.judge import flat_deviation
from training.methods import upscale
from training.photos import photo

pytestmark = pytest.mark.full

WEIGHTS = Path(__file__).parents[2] / "backend/pixelmend/models/weights/pixelmend-x4-clean.safetensors"
LAST = "body.34.weight"
EXACT = (0, *range(16, 240, 16), 255)
NEARLY = (*range(1, 16, 2), *range(240, 255, 2))


def test_greys_become_exact_and_pictures_stay() -> None:
    state = {name: tensor.float() for name, tensor in load_file(WEIGHTS).items()}
    noise = torch.randn(state[LAST].shape, generator=torch.Generator().manual_seed(0))
    state[LAST] = state[LAST] + 3e-3 * noise
    before = from_state(dict(state))
    assert flat_deviation(before, 20, EXACT) > 0
    after = from_state(keep_flats(state, cost_of_changes(state)))
    assert flat_deviation(after, 20, EXACT) == 0
    assert flat_deviation(after, 20, NEARLY) <= 1
    low = photo("chelsea")[:96, :96]
    change = upscale(after, low).astype(np.int16) - upscale(before, low)
    assert 0.0 < np.abs(change).mean() < 0.5
    assert {name for name in state if not torch.equal(state[name], after.state_dict()[name])} == {
        LAST,
        LAST.replace("weight", "bias"),
    }
