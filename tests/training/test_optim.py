"""The optimiser's orthogonal steps, and who is moved by what."""

from __future__ import annotations

import pytest
import torch

from pixelmend.engine.backends.compact import Compact
from pixelmend.engine.weights.compact import NetworkConfig
from training.optim import Muon, OptimConfig, make_optimisers, orthogonal, set_rates


def test_orthogonal_levels_the_singular_values_and_keeps_the_directions() -> None:
    generator = torch.Generator().manual_seed(0)
    matrices = torch.randn(3, 16, 144, generator=generator) * torch.tensor([1e-6, 1.0, 1e3])[:, None, None]
    result = orthogonal(matrices)
    values = torch.linalg.svdvals(result)
    assert float(values.min()) > 0.5
    assert float(values.max()) < 1.5
    assert bool(((matrices * result).sum(dim=(1, 2)) > 0.0).all())


def test_muon_descends() -> None:
    target = torch.randn(4, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    weight = torch.nn.Parameter(torch.zeros(4, 4, 3, 3))
    optimiser = Muon([weight], 0.2, 0.9)
    first = float(target.square().sum())
    for _ in range(40):
        optimiser.zero_grad()
        loss = (weight - target).square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert float((weight.detach() - target).square().sum()) < 0.3 * first


@pytest.mark.parametrize(("muon_rate", "count"), [(0.02, 2), (0.0, 1)])
def test_every_parameter_has_one_optimiser(muon_rate: float, count: int) -> None:
    network = Compact(NetworkConfig(16, 3))
    optimisers = make_optimisers(network, OptimConfig(muon_rate=muon_rate))
    held = [p for optimiser in optimisers for group in optimiser.param_groups for p in group["params"]]
    assert len(optimisers) == count
    assert sorted(map(id, held)) == sorted(map(id, network.parameters()))


def test_rates_follow_one_factor() -> None:
    optimisers = make_optimisers(Compact(NetworkConfig(16, 1)), OptimConfig(1e-3, 0.02))
    set_rates(optimisers, 0.5)
    set_rates(optimisers, 0.25)
    assert [o.param_groups[0]["lr"] for o in optimisers] == pytest.approx([2.5e-4, 5e-3])
