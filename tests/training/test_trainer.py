"""A training run in miniature: it learns, it resumes, and what it leaves can be shipped."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors
import spandrel
import torch
from safetensors.torch import load_file

from pixelmend.engine.weights.compact import NetworkConfig
from training import evaluate, export, train
from training.clean import CleanTrainer
from training.colour import to_ycc
from training.curves import PICTURE, read_history
from training.data import DataConfig
from training.leaves import LeafConfig
from training.optim import OptimConfig
from training.train import Budget, Reporting, run
from training.trainer import TrainConfig, Trainer, loss_of, rate_factor, relative_loss, spectrum_loss

pytestmark = pytest.mark.full

DATA = DataConfig(
    leaves=LeafConfig(size=96, fewest=20, most=40, texture_size=32),
    batch=4,
    patch=16,
    pool=2,
    refresh=4,
    workers=0,
)
TINY = TrainConfig(seed=3, network=NetworkConfig(16, 2), warm_up=4)
QUIET = 10_000


def trainer() -> Trainer:
    return Trainer(TINY, torch.device("cpu"))


def trainer_of_one_hidden_layer() -> Trainer:
    return Trainer(replace(TINY, network=NetworkConfig(16, 1)), torch.device("cpu"))


def train_to(out: Path, subject: Trainer, steps: int, planned: int) -> Path:
    """Train ``subject`` up to ``steps`` of a schedule of ``planned`` steps."""
    out.mkdir(parents=True, exist_ok=True)

    class Cut(Budget):
        def progress(self, step: int, elapsed: float) -> float:
            return 1.0 if step >= steps else step / planned

    return run(subject, DATA, Cut(planned, None), Reporting(out, QUIET, QUIET, QUIET))


def test_loss_falls() -> None:
    rng = np.random.default_rng(0)
    high = np.kron(rng.integers(0, 256, (2, 16, 16, 3), np.uint8), np.ones((1, 4, 4, 1), np.uint8))
    low = high[:, ::4, ::4].copy()
    subject = trainer()
    losses = [float(subject.train_step(low, high, step / 40)) for step in range(20)]
    assert losses[-1] < 0.9 * losses[0]
    assert all(np.isfinite(losses))


def test_mixtures_of_the_faithful_and_the_clean_one_are_trained() -> None:
    rng = np.random.default_rng(0)
    high = np.kron(rng.integers(0, 256, (2, 16, 16, 3), np.uint8), np.ones((1, 4, 4, 1), np.uint8))
    low = np.ascontiguousarray(high[:, ::4, ::4])
    faithful = trainer().network.state_dict()
    before = {name: tensor.clone() for name, tensor in faithful.items()}
    start = {name: 1.1 * tensor for name, tensor in faithful.items()}
    subject = CleanTrainer(TINY, torch.device("cpu"), faithful, mixed=1.0, start=start)
    losses = [float(subject.train_step(low, high, 0.0)) for _ in range(40)]
    assert np.mean(losses[-8:]) < 0.8 * np.mean(losses[:8])
    assert all(torch.equal(tensor, before[name]) for name, tensor in faithful.items())
    assert not all(torch.equal(tensor, start[name]) for name, tensor in subject.network.state_dict().items())
    # Without such steps it is trained as any network is.
    alone = CleanTrainer(TINY, torch.device("cpu"), faithful, mixed=0.0, start=start)
    usual = Trainer(TINY, torch.device("cpu"), start=start)
    assert float(alone.train_step(low, high, 0.0)) == float(usual.train_step(low, high, 0.0))


def test_the_faithful_end_goes_with_the_clean_variant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        train.main(["--steps", "1", "--out", str(tmp_path), "--faithful", "weights.safetensors"])
    assert "--variant clean" in capsys.readouterr().err


def test_a_resumed_run_ends_as_the_whole_run(tmp_path: Path) -> None:
    whole = trainer()
    train_to(tmp_path / "whole", whole, 10, 10)
    half = trainer()
    path = train_to(tmp_path / "half", half, 5, 10)
    resumed = trainer()
    resumed.load(path)
    assert resumed.step == 5
    train_to(tmp_path / "rest", resumed, 10, 10)
    for name, tensor in whole.average.items():
        torch.testing.assert_close(resumed.average[name], tensor, atol=1e-6, rtol=1e-5)


def test_a_resumed_run_has_the_rates_that_it_was_given(tmp_path: Path) -> None:
    trainer().save(tmp_path / "last.pt")
    slower = Trainer(replace(TINY, optim=OptimConfig(1e-5, 2e-5)), torch.device("cpu"))
    slower.load(tmp_path / "last.pt")
    assert [group["peak"] for one in slower.optimisers for group in one.param_groups] == [1e-5, 2e-5]


def test_saving_leaves_one_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    trainer().save(path)
    assert [p.name for p in tmp_path.iterdir()] == ["last.pt"]


def test_commands_train_export_and_evaluate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--features", "16", "--hidden", "1", "--pool", "1", "--batch", "2", "--patch", "8"]
    train.main(["--steps", "2", "--out", str(tmp_path), "--plain", *small])
    train.main(["--steps", "3", "--out", str(tmp_path), "--plain", "--resume", *small])
    weights = tmp_path / "weights.safetensors"
    export.main([str(tmp_path / "last.pt"), str(weights)])
    assert "sha256" in capsys.readouterr().out
    state = load_file(weights)
    assert {tensor.dtype for tensor in state.values()} == {torch.float16}
    model = spandrel.ModelLoader().load_from_state_dict(state)
    assert (model.scale, model.input_channels, model.output_channels) == (4, 3, 3)
    with safetensors.safe_open(weights, "pt") as file:
        metadata = file.metadata()
    assert metadata["license"] == "Apache-2.0"
    assert metadata["steps"] == "3"
    assert metadata["title"] == "Pixelmend x4, faithful"
    assert (metadata["scale"], metadata["low_pictures"]) == ("4", "bicubic reductions")
    astronaut = ["--photographs", "astronaut"]
    evaluate.main([str(weights), *astronaut, "--noise", "5", "--pictures", str(tmp_path / "pictures")])
    assert "| astronaut |" in capsys.readouterr().out
    assert (tmp_path / "pictures" / "astronaut.png").is_file()


def test_the_clean_variant_and_a_smaller_scale_start_from_trained_weights(tmp_path: Path) -> None:
    small = ["--features", "16", "--hidden", "1", "--pool", "1", "--batch", "2", "--patch", "8"]
    first = trainer_of_one_hidden_layer()
    first.save(tmp_path / "last.pt")
    export.main([str(tmp_path / "last.pt"), str(tmp_path / "first.safetensors")])
    for name, options in (("clean", ["--variant", "clean"]), ("x2", ["--scale", "2"])):
        start = ["--start", str(tmp_path / "first.safetensors"), "--adam-rate", "0", "--muon-rate", "1e-9"]
        train.main(["--steps", "1", "--out", str(tmp_path / name), *small, *start, *options])
        export.main([str(tmp_path / name / "last.pt"), str(tmp_path / f"{name}.safetensors")])
    clean, twice = (load_file(tmp_path / f"{name}.safetensors") for name in ("clean", "x2"))
    for key, tensor in load_file(tmp_path / "first.safetensors").items():
        if not key.startswith("body.4."):  # the last layer was changed to keep greys
            torch.testing.assert_close(clean[key], tensor, atol=1e-3, rtol=1e-3)
    assert twice["body.4.bias"].shape == (3 * 2**2,)
    for name, title in (("clean", "Pixelmend x4, clean"), ("x2", "Pixelmend x2, faithful")):
        with safetensors.safe_open(tmp_path / f"{name}.safetensors", "pt") as file:
            assert file.metadata()["title"] == title


def test_a_run_that_is_stopped_leaves_no_process(tmp_path: Path) -> None:
    options = "--steps 1000000 --features 16 --hidden 1 --patch 16 --batch 2 --pool 2 --refresh 100000"
    command = [sys.executable, "-m", "training.train", *options.split(), "--out", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("step 100 ")
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.terminate()
        status = process.wait(60)
    ends = time.monotonic() + 20  # multiprocessing's own tracker ends a moment after its parent
    while (left := [pid for pid in children if Path(f"/proc/{pid}").exists()]) and time.monotonic() < ends:
        time.sleep(0.05)
    for pid in left:
        os.kill(int(pid), signal.SIGKILL)
    assert status == 128 + signal.SIGTERM
    assert len(children) >= 2
    assert not left


def test_a_report_leaves_a_history_and_its_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(trainer(), DATA, Budget(2, None), Reporting(tmp_path, report=1, judge=2, save=2))
    assert [moment.step for moment in read_history(tmp_path)] == [2]
    assert (tmp_path / PICTURE).is_file()
    assert re.search(r"step 1 loss .* 50.0%, \d+ min left", capsys.readouterr().out)


def test_loss_tells_luma_from_chroma() -> None:
    truth = torch.full((1, 3, 4, 4), 0.5)
    lighter = truth + 0.1
    redder = truth.clone()
    redder[:, 0] += 0.1
    redder[:, 1] -= 0.1 * 0.299 / 0.587  # the same luma
    assert float(loss_of(truth, truth, 1.0, 0.01)) == pytest.approx(0.0, abs=1e-7)
    assert float(loss_of(lighter, truth, 0.0, 0.01)) == pytest.approx(
        float(np.hypot(0.1, 0.01)) - 0.01, abs=1e-5
    )
    assert float(loss_of(redder, truth, 0.0, 0.01)) == pytest.approx(0.0, abs=1e-5)
    assert float(loss_of(redder, truth, 1.0, 0.01)) > 0.05


def test_the_relative_loss_weighs_weak_and_strong_errors_alike() -> None:
    truth = torch.full((2, 3, 8, 8), 0.5)

    def loss(first: float, second: float) -> float:
        errors = torch.tensor([first, second])[:, None, None, None]
        return float(relative_loss(truth + errors, truth, 0.5, 1e-4))

    assert loss(0.0, 0.0) == 0.0
    both = loss(0.02, 0.2)
    assert both - loss(0.01, 0.2) == pytest.approx(both - loss(0.02, 0.1), rel=1e-3)
    assert both - loss(0.01, 0.2) == pytest.approx(np.log(2.0) / 2.0, rel=1e-3)


def test_the_spectrum_of_a_wave_counts_less_than_that_of_noise() -> None:
    """Both errors are of one size in the mean square."""
    rows = torch.arange(32) * (2.0 * np.pi / 8.0)
    wave = rows.sin()[None, None, :, None].expand(1, 3, 32, 32)
    noise = torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(0)).expand(1, 3, 32, 32)
    flat = torch.zeros(1, 3, 32, 32)
    single, spread = (
        float(spectrum_loss(0.1 * error / error.square().mean().sqrt(), flat)) for error in (wave, noise)
    )
    assert float(spectrum_loss(flat, flat)) == 0.0
    assert single < 0.2 * spread
    rayleigh = 0.1 * np.sqrt(np.pi) / 2.0
    assert spread == pytest.approx(rayleigh, rel=0.03)


def test_the_spectrum_counts_as_much_as_it_is_weighed() -> None:
    low = torch.full((1, 3, 6, 6), 0.5)
    high = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(1))
    weighed = Trainer(replace(TINY, spectrum=2.0), torch.device("cpu"))
    with torch.no_grad():
        more = float(weighed.loss(low, high)) - float(trainer().loss(low, high))
        assert more == pytest.approx(2.0 * float(spectrum_loss(trainer().draw(low), high)), rel=1e-3)


def test_what_lies_in_the_margin_does_not_count() -> None:
    """One low pixel of margin is four of the result; whatever is there, the loss is the same."""
    subject = Trainer(replace(TINY, margin=1), torch.device("cpu"))
    low, high = torch.full((1, 3, 6, 6), 0.5), torch.full((1, 3, 24, 24), 0.5)
    framed = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(1))
    framed[:, :, 4:-4, 4:-4] = 0.5
    nearly = framed.clone()
    nearly[:, :, 4, 4] += 0.1
    with torch.no_grad():
        losses = [float(subject.loss(low, each)) for each in (high, framed, nearly)]
    assert losses[1] == losses[0]
    assert losses[2] != losses[0]


def test_ycc_of_grey_is_grey() -> None:
    planes = to_ycc(torch.full((1, 3, 2, 2), 0.7))
    assert planes[:, 0].mean() == pytest.approx(0.7)
    assert planes[:, 1:].abs().max() == pytest.approx(0.0, abs=1e-6)


def test_schedule_rises_then_falls() -> None:
    factors = [rate_factor(step, step / 100, 10) for step in range(101)]
    assert factors[0] == pytest.approx(0.1)
    assert int(np.argmax(factors)) in range(8, 11)
    assert factors[-1] == pytest.approx(1e-3)
    assert Budget(None, 2.0).progress(0, 30.0) == pytest.approx(0.25)
    assert Budget(200, None).progress(50, 0.0) == pytest.approx(0.25)
