"""The vivid network in miniature: its targets on disk, its losses, a run, and how it is judged."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file, save_file

from pixelmend.engine.weights.compact import NetworkConfig
from training import evaluate_vivid, export, targets, train_vivid
from training.crispness import comb_loss, energy_loss, likeness_loss, slope_loss, slopes
from training.degrade import EVERYDAY, blur, degrade
from training.discriminator import Discriminator
from training.mixtures import Family
from training.photographs import Photograph
from training.photos import photo
from training.targets import CacheConfig, cut_targets, fill, low_patch, open_targets, split
from training.tone import keep_tone
from training.trainer import TrainConfig, Trainer, spectrum_loss
from training.vivid import VividConfig, VividTrainer

pytestmark = pytest.mark.full

Bytes = NDArray[np.uint8]
CACHE = CacheConfig("a teacher", patch=16, seed=5)
TINY = TrainConfig(seed=3, variant="vivid", network=NetworkConfig(16, 1), warm_up=4)
VIVID = VividConfig(judge_features=8, alone=0.4)


def photographs(folder: Path, count: int = 3) -> tuple[Photograph, ...]:
    """Squares of a photograph in ``folder``, with a manifest."""
    picture = photo("coffee")
    lines = ["file,licence,credit,repository"]
    for index in range(count):
        Image.fromarray(picture[:160, 40 * index : 40 * index + 160]).save(folder / f"{index:04}-1.png")
        lines.append(f"{index:04}-1.png,CC0,a photographer,a/b")
    (folder / "MANIFEST.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tuple(Photograph(path, "", "", "") for path in sorted(folder.glob("*.png")))


def repeated(lows: Bytes) -> Bytes:
    """What a simple teacher makes of them."""
    return lows.repeat(4, axis=1).repeat(4, axis=2)


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """A faithful network's file."""
    Trainer(replace(TINY, variant="faithful"), torch.device("cpu")).save(tmp_path / "faithful.pt")
    export.main([str(tmp_path / "faithful.pt"), str(tmp_path / "faithful.safetensors")])
    return tmp_path / "faithful.safetensors"


def trainer(start: Path) -> VividTrainer:
    return VividTrainer(TINY, VIVID, torch.device("cpu"), load_file(start))


def test_everyday_pictures_are_worse_but_not_ruined() -> None:
    picture = photo("coffee")[:256, :256]
    clean = picture.reshape(64, 4, 64, 4, 3).mean(axis=(1, 3))
    errors = []
    for seed in range(20):
        low = degrade(np.random.default_rng(seed), picture, 4, EVERYDAY)
        assert np.array_equal(low, degrade(np.random.default_rng(seed), picture, 4, EVERYDAY))
        errors.append(float(((low - clean) ** 2).mean() ** 0.5))
    assert 1.0 < float(np.median(errors)) < 15.0
    assert max(errors) < 30.0


def test_blur_is_as_wide_as_asked() -> None:
    point = np.zeros((65, 65, 3), np.uint8)
    point[32, 32] = 255
    spread = blur(point, np.array((2.0, 1.0)))[..., 0].astype(float)
    places = np.arange(65) - 32.0
    across = (spread.sum(axis=0) * places**2).sum() / spread.sum()
    down = (spread.sum(axis=1) * places**2).sum() / spread.sum()
    assert across == pytest.approx(4.0, rel=0.15)
    assert down == pytest.approx(1.0, rel=0.3)


def test_crops_of_one_photograph_stay_together() -> None:
    found = [
        Photograph(Path(f"{subject:04}-{crop}.avif"), "", "", "") for subject in range(60) for crop in (1, 2)
    ]
    training, apart = split(found)
    assert len(training) + len(apart) == 120
    assert [photograph.path.stem for photograph in apart[:2]] == ["0012-1", "0012-2"]
    assert len(apart) == 4
    assert not {p.path for p in training} & {p.path for p in apart}


def test_a_cache_that_was_stopped_ends_as_the_whole_one(tmp_path: Path) -> None:
    found = photographs(tmp_path)
    whole, half = tmp_path / "whole", tmp_path / "half"
    fill(whole, CACHE, found, repeated, 5, batch=2)
    fill(half, CACHE, found, repeated, 2, batch=2)
    with (half / targets.LOWS).open("ab") as file:
        file.write(b"a part of a patch")
    assert len(open_targets(half)[1].lows) == 2
    fill(half, CACHE, found, repeated, 5, batch=2)
    for name in (targets.LOWS, targets.HIGHS):
        assert (half / name).read_bytes() == (whole / name).read_bytes()
    config, held = open_targets(half)
    assert config == CACHE
    assert (held.lows.shape, held.highs.shape) == ((5, 16, 16, 3), (5, 64, 64, 3))
    assert np.array_equal(held.lows[3], low_patch(found, 3, CACHE))
    assert len({low.tobytes() for low in held.lows}) == 5


def test_a_cache_of_another_kind_or_an_empty_one_is_refused(tmp_path: Path) -> None:
    found = photographs(tmp_path)
    fill(tmp_path / "cache", CACHE, found, repeated, 0)
    with pytest.raises(ValueError, match="holds no patches yet"):
        open_targets(tmp_path / "cache")
    with pytest.raises(ValueError, match="was begun with"):
        fill(tmp_path / "cache", replace(CACHE, teacher="another"), found, repeated, 1)
    with pytest.raises(ValueError, match="160x160 pixels is too small"):
        low_patch(found, 0, replace(CACHE, patch=48))


def test_parts_of_patches_fit_one_another(tmp_path: Path) -> None:
    fill(tmp_path / "cache", CACHE, photographs(tmp_path), repeated, 4)
    _, held = open_targets(tmp_path / "cache")
    low, high = cut_targets(np.random.default_rng(0), held, 6, 12)
    assert low.shape == (6, 12, 12, 3)
    assert np.array_equal(repeated(low), high)


def test_losses_see_blur() -> None:
    sharp = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    soft = torch.nn.functional.avg_pool2d(sharp, 3, 1, 1)
    for loss in (slope_loss, energy_loss, spectrum_loss):
        assert float(loss(sharp, sharp)) == 0.0
        assert float(loss(soft, sharp)) > 0.05
    # Noise of another seed is as crisp, though every slope is another.
    other = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    assert float(energy_loss(other, sharp)) < 0.2 * float(energy_loss(soft, sharp))
    assert float(slope_loss(other, sharp)) > float(slope_loss(soft, sharp))


def test_likeness_sees_blur_and_not_the_sign_of_an_edge() -> None:
    sharp = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)).round()
    sharp = sharp.repeat_interleave(8, 2).repeat_interleave(8, 3)
    soft = torch.nn.functional.avg_pool2d(sharp, 15, 1, 7)
    assert float(likeness_loss(sharp, sharp)) == pytest.approx(0.0, abs=1e-4)
    assert float(likeness_loss(1.0 - sharp, sharp)) < 0.5 * float(likeness_loss(soft, sharp))
    moved = soft.clone().requires_grad_()
    likeness_loss(moved, sharp).backward()  # type: ignore[no-untyped-call]
    assert moved.grad is not None
    # A step down the slope is a picture more like the target.
    nearer = soft - 0.02 * moved.grad / moved.grad.abs().max()
    assert float(likeness_loss(nearer, sharp)) < float(likeness_loss(soft, sharp))


def test_a_grid_of_dots_is_seen_where_texture_is_not() -> None:
    target = torch.full((1, 3, 64, 64), 0.5)
    dots = torch.zeros(64, 64)
    dots[::4, ::4] = 0.2
    texture = dots.flatten()[torch.randperm(64 * 64, generator=torch.Generator().manual_seed(2))]
    scattered = float(comb_loss(target + texture.view(64, 64), target, 4))
    assert float(comb_loss(target + 0.1, target, 4)) == pytest.approx(0.0, abs=1e-6)
    assert float(comb_loss(target + dots, target, 4)) > 2.5 * scattered > 0.0


def test_fine_energy_does_not_stand_in_for_coarse() -> None:
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(1, 3, 16, 16, generator=generator).repeat_interleave(4, 2).repeat_interleave(4, 3)
    flat = torch.full_like(target, 0.5)
    board = (torch.arange(64)[:, None] + torch.arange(64)) % 2 * 0.5
    coarse = target.roll((8, 8), (2, 3))
    assert float(energy_loss(coarse, target)) < 0.5 * float(energy_loss(flat + board - 0.25, target))


def test_a_target_has_the_tones_of_the_low_picture_and_the_edges_of_the_teacher() -> None:
    low = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(0)) * 0.5 + 0.25
    sharp = low.repeat_interleave(4, 2).repeat_interleave(4, 3)
    ramp = torch.linspace(-0.1, 0.1, 96)[None, None, None, :]
    kept = keep_tone(sharp + ramp, low)
    assert float((kept - sharp).abs().mean()) < 0.2 * float(ramp.abs().mean())
    assert float((kept - sharp).mean()) == pytest.approx(0.0, abs=1e-3)
    edges = (slopes(kept) - slopes(sharp + ramp)).abs().max()
    assert float(edges) < 0.01


def test_the_judge_answers_for_each_square() -> None:
    assert Discriminator(8)(torch.rand(2, 3, 48, 64)).shape == (2, 1, 24, 32)


def test_the_judge_learns_to_tell_them_apart_and_the_network_hears_it(start: Path, tmp_path: Path) -> None:
    fill(tmp_path / "cache", CACHE, photographs(tmp_path), repeated, 4)
    _, held = open_targets(tmp_path / "cache")
    subject = trainer(start)
    low, high = cut_targets(np.random.default_rng(0), held, 2, 16)
    before = {name: tensor.clone() for name, tensor in subject.judge.state_dict().items()}
    losses = [float(subject.train_step(low, high, 0.2)) for _ in range(12)]
    assert losses[-1] < losses[0]
    assert "judge" not in subject.parts
    assert all(torch.equal(tensor, before[name]) for name, tensor in subject.judge.state_dict().items())
    judged = []
    for _ in range(12):
        subject.train_step(low, high, 0.5)
        assert subject.parts["adversarial"] > 0.0
        judged.append(subject.parts["judge"])
    assert judged[-1] < judged[0]


def test_commands_fill_train_resume_export_and_judge(
    start: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "photographs"
    folder.mkdir()
    photographs(folder, count=13)  # number 12 is kept apart
    # Any network that spandrel reads can teach: here the faithful one itself.
    fill_command = [str(folder), str(start), str(tmp_path / "cache"), "--patches", "4", "--patch", "16"]
    targets.main(fill_command)
    command = [str(tmp_path / "cache"), "--start", str(start), "--batch", "2", "--patch", "16"]
    command += ["--judge-features", "8", "--alone", "0", "--report", "1"]
    train_vivid.main([*command, "--steps", "4", "--out", str(tmp_path / "whole")])
    assert "judge" in capsys.readouterr().out
    shutil.copytree(tmp_path / "whole", tmp_path / "copy")
    out = ["--out", str(tmp_path / "copy"), "--resume"]
    train_vivid.main([*command, "--steps", "6", *out])
    resumed = torch.load(tmp_path / "copy" / "last.pt", weights_only=True)
    assert resumed["step"] == 6
    vivid = tmp_path / "vivid.safetensors"
    export.main([str(tmp_path / "copy" / "last.pt"), str(vivid)])
    with safetensors.safe_open(vivid, "pt") as file:
        assert file.metadata()["title"] == "Pixelmend x4, vivid"
    judge = [str(start), str(vivid), "--names", "coffee", "--side", "64", "--photographs", str(folder)]
    evaluate_vivid.main([*judge, "--sheet", str(tmp_path / "sheet.png"), "--detail", "32"])
    printed = capsys.readouterr().out
    assert printed.count("| vivid |") == 2
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (3 * 64, 2 * 64)


def test_a_resumed_run_ends_as_the_whole_run(start: Path, tmp_path: Path) -> None:
    fill(tmp_path / "cache", CACHE, photographs(tmp_path), repeated, 4)
    _, held = open_targets(tmp_path / "cache")

    def train(subject: VividTrainer, steps: range) -> None:
        for step in steps:
            subject.train_step(*cut_targets(np.random.default_rng(step), held, 2, 16), step / 8)

    whole, half, rest = (trainer(start) for _ in range(3))
    train(whole, range(8))
    train(half, range(5))
    half.save(tmp_path / "last.pt")
    rest.load(tmp_path / "last.pt")
    assert rest.step == 5
    train(rest, range(5, 8))
    for name, tensor in whole.average.items():
        torch.testing.assert_close(rest.average[name], tensor, atol=1e-6, rtol=1e-5)
    for name, tensor in whole.judge.state_dict().items():
        torch.testing.assert_close(rest.judge.state_dict()[name], tensor, atol=1e-6, rtol=1e-5)


def test_what_lies_between_the_ends_is_trained_and_the_other_ends_stay(start: Path, tmp_path: Path) -> None:
    fill(tmp_path / "cache", CACHE, photographs(tmp_path), repeated, 4)
    _, held = open_targets(tmp_path / "cache")
    faithful = load_file(start)
    clean = {name: tensor * 1.05 for name, tensor in faithful.items()}
    family = Family(faithful, clean, torch.device("cpu"))
    always = replace(VIVID, mixed=1.0)
    subject = VividTrainer(TINY, always, torch.device("cpu"), faithful, family=family)
    low, high = cut_targets(np.random.default_rng(0), held, 2, 16)
    losses = [float(subject.train_step(low, high, 0.9)) for _ in range(12)]
    assert "mixed pixel" in subject.parts
    assert "judge" not in subject.parts
    assert np.mean(losses[-4:]) < np.mean(losses[:4])
    moved = [not torch.equal(tensor, faithful[name]) for name, tensor in subject.network.state_dict().items()]
    assert all(moved)
    assert all(torch.equal(family.without_detail(0.0)[name], faithful[name]) for name in faithful)


def test_a_network_of_another_scale_is_refused(start: Path, tmp_path: Path) -> None:
    fill(
        tmp_path / "cache",
        replace(CACHE, scale=2),
        photographs(tmp_path),
        lambda low: low.repeat(2, 1).repeat(2, 2),
        1,
    )
    command = [str(tmp_path / "cache"), "--start", str(start), "--steps", "1", "--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit):
        train_vivid.main(command)
    save_file({"a": torch.zeros(1)}, tmp_path / "none.safetensors")
    with pytest.raises(SystemExit):
        train_vivid.main([*command, "--start", str(tmp_path / "none.safetensors")])
