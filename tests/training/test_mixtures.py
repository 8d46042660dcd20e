"""What is mixed between networks while one of them is trained."""

import numpy as np
import pytest
import torch

from training.mixtures import Family, drawn_dials, mixed, pass_gradients_on, weights_in_place


def test_a_mixture_is_computed_and_its_gradient_is_the_networks_share() -> None:
    network = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(network.weight, 3.0)
    base = {"weight": torch.ones(1, 1)}
    with weights_in_place(network, mixed(base, network, 0.25)):
        output = network(torch.ones(1, 1))
        output.backward()
    pass_gradients_on(network, 0.25)
    assert float(output.detach()) == 1.5
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
