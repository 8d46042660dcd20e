"""Pairs of low pictures and what a network makes of them in eight positions."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from pixelmend.engine.weights.compact import NetworkConfig
from training import ensemble, train
from training.data import DataConfig, Pair, make_pair, read_pair, write_pair
from training.ensemble import mean_of_positions
from training.methods import read_network, upscale
from training.networks import build
from training.trainer import TrainConfig, Trainer


def random_picture(seed: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def enlarged(low: Tensor) -> Tensor:
    return low.repeat_interleave(2, 2).repeat_interleave(2, 3)


def test_what_ignores_positions_is_its_own_mean() -> None:
    low = random_picture(1, 5, 9)
    assert np.array_equal(mean_of_positions(enlarged, low), low.repeat(2, 0).repeat(2, 1))


def test_each_position_counts_alike_and_is_turned_back() -> None:
    """The first pixel of each position is raised: every corner, two positions each."""

    def marked(low: Tensor) -> Tensor:
        result = enlarged(low)
        result[:, :, 0, 0] += 160 / 255
        return result

    low = np.full((3, 4, 3), 50, np.uint8)
    expected = np.full((6, 8, 3), 50, np.uint8)
    for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        expected[corner] = 50 + 160 * 2 // 8
    assert np.array_equal(mean_of_positions(marked, low), expected)


def test_a_pair_of_another_scale_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "000000.npz"
    low, high = random_picture(1, 6, 5), random_picture(2, 24, 20)
    write_pair(path, Pair(high, (low,)))
    pair = read_pair(path, 4)
    assert np.array_equal(pair.high, high)
    assert np.array_equal(pair.lows[0], low)
    assert [each.name for each in tmp_path.iterdir()] == ["000000.npz"]
    with pytest.raises(ValueError, match=re.escape("5x6 and 20x24 px, not 2 times")):
        read_pair(path, 2)


@pytest.mark.full
def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder is filled, goes on, refuses other weights, and is trained on."""
    weights, folder = tmp_path / "network.safetensors", tmp_path / "pairs"
    network = Trainer(TrainConfig(network=NetworkConfig(16, 1, 2)), torch.device("cpu")).network
    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, weights)
    side = ["--side", "100"]
    ensemble.main([str(weights), str(folder), "--pictures", "1", "--seed", "5", *side])
    first = (folder / "000000.npz").stat().st_mtime_ns
    ensemble.main([str(weights), str(folder), "--pictures", "2", "--seed", "5", *side, "--compile"])
    assert (folder / "000000.npz").stat().st_mtime_ns == first
    pair, drawn = read_pair(folder / "000001.npz", 2), make_pair(5, 1, DataConfig(scale=2))
    (low,) = pair.lows
    assert low.shape == (100, 100, 3)
    places = np.lib.stride_tricks.sliding_window_view(drawn.lows[0], (100, 100, 3))[..., 0, :, :, :]
    assert (places == low).all(axis=(2, 3, 4)).any()
    # A network that starts as bicubic makes nearly the same of each position.
    once = upscale(read_network(weights), low).astype(int)
    assert np.abs(pair.high - once).mean() < 1.0

    with pytest.raises(ValueError, match="was begun with"):
        ensemble.main([str(weights), str(folder), "--pictures", "2", "--seed", "6"])
    assert hashlib.sha256(weights.read_bytes()).hexdigest() in (folder / "about.json").read_text()

    options = [
        "--scale",
        "2",
        "--features",
        "16",
        "--hidden",
        "1",
        "--pool",
        "2",
        "--out",
        str(tmp_path / "run"),
    ]
    train.main(["--pairs", str(folder), "--steps", "2", "--start", str(weights), *options])
    assert (tmp_path / "run" / "last.pt").exists()
    for arguments, message in (
        (["--pairs", str(tmp_path)], "holds no pairs"),
        (["--pairs", str(folder), "--photographs", str(tmp_path)], "leave out --photographs"),
    ):
        with pytest.raises(SystemExit):
            train.main([*arguments, "--steps", "1", *options])
        assert message in capsys.readouterr().err


@pytest.mark.full
def test_several_networks_give_the_mean_of_their_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = []
    for seed, scale in enumerate((2, 2, 4)):
        torch.manual_seed(seed)
        files.append(tmp_path / f"{seed}.safetensors")
        save_file(build(NetworkConfig(16, 1, scale)).state_dict(), files[-1])
    one, other, larger = map(str, files)
    made = [
        (arguments, tmp_path / name)
        for name, arguments in (("one", [one]), ("other", [other]), ("both", [one, "--beside", other]))
    ]
    pictures = []
    for (weights, *beside), folder in made:
        ensemble.main([weights, str(folder), *beside, "--pictures", "1", "--side", "16"])
        pictures.append(read_pair(folder / "000000.npz", 2).high.astype(float))
    alone, beside_it, both = pictures
    assert np.abs(alone - beside_it).mean() > 3.0
    # What is beyond black or white counts in the mean, and is cut off in each by itself.
    inside = (np.minimum(alone, beside_it) > 0) & (np.maximum(alone, beside_it) < 255)
    assert inside.mean() > 0.3
    assert np.abs(both - (alone + beside_it) / 2.0)[inside].max() <= 1.0
    with pytest.raises(SystemExit):
        ensemble.main([one, str(tmp_path / "x"), "--beside", larger, "--pictures", "1"])
    assert "not one scale" in capsys.readouterr().err
