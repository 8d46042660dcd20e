"""The weights that ship: small enough, loadable, and as good as their card says."""

from __future__ import annotations

from pathlib import Path

import pytest
import safetensors
import spandrel
import torch
from safetensors.torch import load_file

from pixelmend.engine.compact import Compact, from_state
from training.judge import Result, flat_deviation, judge, mean_gain
from training.methods import enlarge
from training.photos import photo

FOLDER = Path(__file__).parents[2] / "backend/pixelmend/models/weights"
WEIGHTS = FOLDER / "pixelmend-x4.safetensors"


@pytest.fixture(scope="module")
def network() -> Compact:
    loaded = from_state(load_file(WEIGHTS))
    return loaded.to(memory_format=torch.channels_last)


@pytest.fixture(scope="module")
def results(network: Compact) -> list[Result]:
    return judge(network)


def test_small_enough_and_licensed(network: Compact) -> None:
    assert WEIGHTS.stat().st_size <= 1_500_000
    assert sum(p.numel() for p in network.parameters()) <= 700_000
    assert {tensor.dtype for tensor in load_file(WEIGHTS).values()} == {torch.float16}
    with safetensors.safe_open(WEIGHTS, "pt") as file:
        assert file.metadata()["license"] == "Apache-2.0"
    assert "Apache License" in (FOLDER / "pixelmend-x4.LICENSE").read_text()
    assert "Apache-2.0" in (FOLDER / "pixelmend-x4.md").read_text()


def test_luma_gains_over_bicubic(results: list[Result]) -> None:
    assert mean_gain(results).y >= 1.1
    assert all(result.gain.y > 0.0 for result in results)


def test_chroma_is_no_worse_than_bicubic(results: list[Result]) -> None:
    assert mean_gain(results).cb >= 0.0
    assert mean_gain(results).cr >= 0.0
    assert all(min(result.gain.cb, result.gain.cr) > -0.1 for result in results)


def test_flat_pictures_stay_flat_and_neutral(network: Compact) -> None:
    assert flat_deviation(network, 4) <= 1
    assert flat_deviation(network, 0) <= 6


def test_bfloat16_scores_as_float32(network: Compact, results: list[Result]) -> None:
    reduced = judge(network, ["astronaut"], torch.bfloat16)[0]
    assert reduced.model.y == pytest.approx(results[0].model.y, abs=0.05)


def test_the_upstream_loader_computes_the_same(network: Compact) -> None:
    model = spandrel.ModelLoader().load_from_state_dict(load_file(WEIGHTS))
    assert model.architecture.id == "Compact"
    assert (model.scale, model.input_channels, model.output_channels) == (4, 3, 3)
    low = photo("chelsea")[:40, :48]
    tensor = torch.from_numpy(low.copy()).permute(2, 0, 1)[None].float() / 255.0
    with torch.inference_mode():
        output = model.model.float().eval()(tensor)[0].clamp(0.0, 1.0)
    expected = torch.from_numpy(enlarge(network, low).copy()).permute(2, 0, 1).float() / 255.0
    assert float((output - expected).abs().max()) <= 1.01 / 255.0
