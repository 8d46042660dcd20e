"""The optimiser: Adam for small tensors, momentum made orthogonal (Muon) for the hidden convolutions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from training.networks import Network
from training.precision import fast_dtype


@dataclass(frozen=True, slots=True)
class OptimConfig:
    """The rates are the peaks of their schedules; a ``muon_rate`` of 0 leaves all to Adam."""

    adam_rate: float = 5e-4
    muon_rate: float = 0.01
    momentum: float = 0.95
    clip: float = 1.0


class Muon(Optimizer):
    """Steps of equal spectral size: each matrix moves along its momentum with all singular values made 1.

    After Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"; the iteration is
    that of Newton and Schulz with the quintic coefficients given there. All tensors must have one shape,
    flattened no taller than wide; they are handled as one batch.
    """

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float) -> None:
        own = list(params)
        super().__init__(own, {"lr": lr, "momentum": momentum})
        self._dtype = fast_dtype(own[0].device)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move all parameters that have gradients."""
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            if not params:
                continue
            directions = []
            for param in params:
                momentum = self.state[param].setdefault("momentum", torch.zeros_like(param))
                momentum.lerp_(param.grad, 1.0 - group["momentum"])
                directions.append(param.grad.lerp(momentum, group["momentum"]).flatten(1))
            for param, update in zip(params, orthogonal(torch.stack(directions), self._dtype), strict=True):
                param.add_(update.view_as(param), alpha=-group["lr"])


def orthogonal(matrices: Tensor, dtype: torch.dtype = torch.bfloat16, iterations: int = 5) -> Tensor:
    """The nearest matrices with singular values about 1 (0.7 to 1.2): (n, rows, columns), rows <= columns.

    dtype: to compute in. bfloat16 suffices, because the iteration corrects itself.
    """
    x = (matrices / (matrices.norm(dim=(1, 2), keepdim=True) + 1e-7)).to(dtype)
    for _ in range(iterations):
        gram = x @ x.mT
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * (gram @ gram)) @ x
    result: Tensor = x.to(matrices.dtype)
    return result


def make_optimisers(network: Network, config: OptimConfig) -> list[Optimizer]:
    """The optimisers that together train ``network``; each group remembers its peak rate as ``peak``."""
    hidden = [layer.weight for layer in network.convolutions()[1:-1]] if config.muon_rate > 0.0 else []
    chosen = {id(weight) for weight in hidden}
    others = [param for param in network.parameters() if id(param) not in chosen]
    optimisers: list[Optimizer] = [torch.optim.Adam(others, config.adam_rate, betas=(0.9, 0.99))]
    if hidden:
        optimisers.append(Muon(hidden, config.muon_rate, config.momentum))
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["peak"] = group["lr"]
    return optimisers


def set_rates(optimisers: Iterable[Optimizer], factor: float) -> None:
    """Set every rate to its peak times ``factor``."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * factor


def take_up_state(optimiser: Optimizer, state: Mapping[str, Any]) -> None:
    """Go on from what a checkpoint holds, but at the rates that this run was given."""
    peaks = [group["peak"] for group in optimiser.param_groups]
    optimiser.load_state_dict(dict(state))
    for group, peak in zip(optimiser.param_groups, peaks, strict=True):
        group["peak"] = peak
