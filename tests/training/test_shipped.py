"""The weights that ship: small enough, loadable, and as good as their cards say."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import safetensors
import spandrel
import torch
from safetensors.torch import load_file

from pixelmend.engine.backends.compact import Compact, from_state
from pixelmend.engine.weights.architecture import mix_states
from pixelmend.engine.weights.tensors import as_arrays, as_tensors
from training.evaluate import Comparison, compare_methods
from training.evaluate_mixtures import POINTS, above_line
from training.evaluate_vivid import everyday, gradient_energy, square
from training.judge import flat_deviation, judge, mean_gain, minus, reduced
from training.methods import bicubic, lanczos, network_method, read_network, upscale
from training.metrics import psnr, seam_step
from training.photos import NAMES, photo

pytestmark = pytest.mark.full

FOLDER = Path(__file__).parents[2] / "backend/pixelmend/models/weights"
FAITHFUL, CLEAN, TWICE = "pixelmend-x4", "pixelmend-x4-clean", "pixelmend-x2"
VIVID = "pixelmend-x4-vivid"
IDS = (FAITHFUL, CLEAN, TWICE, VIVID)
FIRST_FOUR = ("astronaut", "coffee", "chelsea", "rocket")

Compare = Callable[[str, float | None], Comparison]


@pytest.fixture(scope="module", params=IDS)
def network(request: pytest.FixtureRequest) -> Compact:
    shipped = read_network(FOLDER / f"{request.param}.safetensors")
    assert isinstance(shipped, Compact)
    return shipped


@pytest.fixture(scope="module")
def compare() -> Compare:
    """Each comparison is made once."""

    @cache
    def comparison(name: str, noise: float | None) -> Comparison:
        method = {"bicubic": bicubic(4), "lanczos": lanczos(4), "bicubic x2": bicubic(2)}.get(name)
        if method is None:
            method = network_method(name, read_network(FOLDER / f"{name}.safetensors"))
        scale = 2 if "x2" in name else 4
        return compare_methods([method], scale, noise=noise)[0]

    return comparison


@pytest.mark.parametrize("model_id", IDS)
def test_small_enough_and_licensed(model_id: str) -> None:
    weights = FOLDER / f"{model_id}.safetensors"
    state = load_file(weights)
    assert weights.stat().st_size <= 1_500_000
    assert sum(tensor.numel() for tensor in state.values()) <= 700_000
    assert {tensor.dtype for tensor in state.values()} == {torch.float16}
    with safetensors.safe_open(weights, "pt") as file:
        assert file.metadata()["license"] == "Apache-2.0"
    assert "Apache License" in (FOLDER / f"{model_id}.LICENSE").read_text()
    card = (FOLDER / f"{model_id}.md").read_text()
    for heading in ("Apache-2.0", "## How it was made", "## What it scores", "## Limits"):
        assert heading in card


@pytest.mark.parametrize(("model_id", "base", "noise", "luma_db"), [
    (FAITHFUL, "bicubic", None, 1.5),
    (CLEAN, "bicubic", 5.0, 0.7),
    (CLEAN, "bicubic", 10.0, 1.0),
    (TWICE, "bicubic x2", None, 1.5),
])  # fmt: skip
def test_gains_over_bicubic(
    compare: Compare, model_id: str, base: str, noise: float | None, luma_db: float
) -> None:
    found, bicubic_result = compare(model_id, noise), compare(base, noise)
    gain = minus(found.psnr, bicubic_result.psnr)
    assert gain.y >= luma_db
    assert min(gain.cb, gain.cr) >= 0.3
    for name in NAMES:
        assert found.likeness[name].psnr.y > bicubic_result.likeness[name].psnr.y, name
        assert found.likeness[name].ssim > bicubic_result.likeness[name].ssim, name
    scores = [(found.likeness[n].haarpsi, bicubic_result.likeness[n].haarpsi) for n in NAMES]
    # What cleans takes some detail for noise: there, on the whole.
    assert np.mean([ours - others for ours, others in scores]) > 0
    assert model_id == CLEAN or all(ours > others for ours, others in scores)


def test_the_faithful_one_is_above_lanczos_on_every_photograph(compare: Compare) -> None:
    found, others = compare(FAITHFUL, None), compare("lanczos", None)
    for name in NAMES:
        assert found.likeness[name].psnr.y > others.likeness[name].psnr.y, name
    few = [minus(found.likeness[n].psnr, compare("bicubic", None).likeness[n].psnr).y for n in FIRST_FOUR]
    assert np.mean(few) >= 1.4


def test_the_clean_one_leaves_no_blocks() -> None:
    """Where the input's blocks are, the result steps less than half a value more than the photograph does."""
    seams = {}
    for model_id in (FAITHFUL, CLEAN):
        network = read_network(FOLDER / f"{model_id}.safetensors")
        values = [seam_step(upscale(network, reduced(photo(n), 4, 5.0)), 32) for n in FIRST_FOUR]
        seams[model_id] = np.array(values)
    truth = np.array([seam_step(photo(name), 32) for name in FIRST_FOUR])
    assert (np.abs(seams[CLEAN] - truth) < 0.5).all()
    assert (seams[CLEAN] - truth).mean() < 0.2 * (seams[FAITHFUL] - truth).mean()


def test_the_vivid_one_is_crisp_where_a_phone_has_blurred() -> None:
    """Twice the slopes of the faithful one, about the same colour, hardly a step at the blocks of JPEG."""
    networks = {name: read_network(FOLDER / f"{name}.safetensors") for name in (FAITHFUL, VIVID)}
    energies = []
    for seed, name in enumerate(FIRST_FOUR):
        low = everyday(square(photo(name), 192), 4, seed)
        faithful, vivid = (upscale(networks[each], low) for each in (FAITHFUL, VIVID))
        energies.append(gradient_energy(vivid) / gradient_energy(faithful))
        shift = np.abs(vivid.astype(float).mean((0, 1)) - bicubic(4).upscale(low).astype(float).mean((0, 1)))
        assert shift.max() < 1.0
        assert seam_step(vivid, 4) < 1.5
    assert np.mean(energies) > 1.5


def test_between_faithful_and_clean_gains_lie_between() -> None:
    """On spoilt pictures more cleaning is better; on clean ones less, with a shallow hollow between."""
    faithful, clean = (load_file(FOLDER / f"{model_id}.safetensors") for model_id in (FAITHFUL, CLEAN))
    names = ("astronaut", "coffee")
    spoilt, untouched = [], []
    for share in (0.0, 0.5, 1.0):
        mixed = from_state(as_tensors(mix_states(as_arrays(faithful), as_arrays(clean), share, "the two")))
        network = mixed.to(memory_format=torch.channels_last)
        spoilt.append(mean_gain(judge(network, names, noise=5.0)).y)
        untouched.append(mean_gain(judge(network, names)).y)
    assert spoilt[0] < spoilt[1] < spoilt[2]
    assert untouched[0] > max(untouched[1:])
    assert untouched[1] > untouched[2] - 0.3


@pytest.mark.parametrize("denoise", [0.0, 1.0])
def test_between_the_ends_of_detail_no_point_is_below_the_line(denoise: float) -> None:
    """PSNR of luma to the truth, on spoilt pictures, against the straight line between the ends."""
    faithful, clean, vivid = (
        as_arrays(load_file(FOLDER / f"{model_id}.safetensors")) for model_id in (FAITHFUL, CLEAN, VIVID)
    )
    base = mix_states(faithful, clean, denoise, "the two")
    decibels = []
    for detail in POINTS:
        network = from_state(as_tensors(mix_states(base, vivid, detail, "the two")))
        network.to(memory_format=torch.channels_last)
        found = []
        for seed, name in enumerate(FIRST_FOUR):
            truth = square(photo(name), 192)
            found.append(psnr(upscale(network, everyday(truth, 4, seed)), truth).y)
        decibels.append(float(np.mean(found)))
    assert min(above_line(decibels)) > -0.1


def test_flat_pictures_stay_flat_and_neutral(network: Compact) -> None:
    assert flat_deviation(network, 20, (0, *range(16, 240, 16), 255)) == 0
    assert flat_deviation(network, 4) <= 1
    assert flat_deviation(network, 0) <= 8


def test_bfloat16_scores_as_float32(network: Compact) -> None:
    full, half = (judge(network, ["astronaut"], kind)[0] for kind in (torch.float32, torch.bfloat16))
    assert half.model.y == pytest.approx(full.model.y, abs=0.06)


def test_the_upstream_loader_computes_the_same(network: Compact) -> None:
    model = spandrel.ModelLoader().load_from_state_dict(dict(network.state_dict()))
    assert model.architecture.id == "Compact"
    assert (model.scale, model.input_channels, model.output_channels) == (network.config.scale, 3, 3)
    low = photo("chelsea")[:40, :48]
    tensor = torch.from_numpy(low.copy()).permute(2, 0, 1)[None].float() / 255.0
    with torch.inference_mode():
        output = model.model.float().eval()(tensor)[0].clamp(0.0, 1.0)
    expected = torch.from_numpy(upscale(network, low).copy()).permute(2, 0, 1).float() / 255.0
    assert float((output - expected).abs().max()) <= 1.01 / 255.0
