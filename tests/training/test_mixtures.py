"""What is mixed between networks while one of them is trained."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from training import mixtures
from training.evaluate_mixtures import above_line
from training.mixtures import Family, drawn_dials, learn_between


def test_a_mixture_is_computed_and_its_gradient_is_the_networks_share() -> None:
    network = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(network.weight, 3.0)
    one = torch.ones(1, 1)
    plains = []

    def loss_of(plain: torch.Tensor) -> torch.Tensor:
        plains.append(float(plain))
        output: torch.Tensor = network(one)
        return output.sum()

    loss = learn_between(network, {"weight": torch.ones(1, 1)}, 0.25, lambda: network(one), loss_of)
    assert plains == [1.0]
    assert float(loss.detach()) == 1.5
    assert float(network.weight.detach()) == 3.0
    assert network.weight.grad is not None
    assert float(network.weight.grad) == 0.25


def test_networks_of_several_shapes_are_no_family() -> None:
    faithful = {"weight": torch.ones(1, 1)}
    with pytest.raises(ValueError, match="one shape"):
        Family(faithful, {"a": torch.zeros(1)}, torch.device("cpu"))


def test_points_in_between_reach_both_sides() -> None:
    points = [drawn_dials(np.random.default_rng(seed)) for seed in range(200)]
    assert all(0.0 <= denoise <= 1.0 and 0.0 < detail < 1.0 for denoise, detail in points)
    assert {0.0, 1.0} < {denoise for denoise, _ in points}


def test_the_command_writes_a_point(tmp_path: Path) -> None:
    for name, value in (("faithful", 0.0), ("clean", 1.0), ("vivid", 4.0)):
        save_file({"weight": torch.full((2,), value)}, tmp_path / name)
    ends = [str(tmp_path / name) for name in ("faithful", "clean", "vivid")]
    mixtures.main([*ends, "0.5", "0.25", str(tmp_path / "out")])
    assert load_file(tmp_path / "out")["weight"].tolist() == [0.75 * 0.5 + 0.25 * 4.0] * 2


def test_points_are_held_against_the_line_between_the_ends() -> None:
    assert above_line([1.0, 2.0, 2.0], (0.0, 0.5, 1.0)) == [0.0, 0.5, 0.0]
