"""What lies between the networks of a family: the weights that its dials mix, and what they should draw.

Weights that were trained apart draw well at the ends alone. The vivid network is therefore trained at points
in between as well: there its picture should be the mixture of the pictures at the ends.

``python -m training.mixtures FAITHFUL CLEAN VIVID DENOISE DETAIL OUT`` writes the weights of one point.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import Module


def drawn_dials(rng: np.random.Generator) -> tuple[float, float]:
    """``denoise`` and ``detail`` of a point between the ends.

    Half of the points lie between the vivid network and one of the other two.
    """
    denoise = float(rng.integers(2) if rng.random() < 0.5 else rng.random())
    return denoise, float(rng.uniform(0.1, 0.95))


class Family:
    """The faithful and the clean network, which stay as they are while the vivid one is trained."""

    def __init__(
        self, faithful: Mapping[str, Tensor], clean: Mapping[str, Tensor], device: torch.device
    ) -> None:
        """Raises ValueError if they have not one shape."""
        if {name: tensor.shape for name, tensor in faithful.items()} != {
            name: tensor.shape for name, tensor in clean.items()
        }:
            raise ValueError("the faithful and the clean network have not one shape")
        self._faithful = {name: tensor.to(device) for name, tensor in faithful.items()}
        self._clean = {name: tensor.to(device) for name, tensor in clean.items()}

    def without_detail(self, denoise: float) -> dict[str, Tensor]:
        """The weights between faithful and clean."""
        return mixed(self._faithful, self._clean, denoise)


@contextmanager
def weights_in_place(network: Module, weights: Mapping[str, Tensor]) -> Iterator[None]:
    """``network`` computes with ``weights`` inside, and has its own again afterwards."""
    with torch.no_grad():
        own = {name: parameter.clone() for name, parameter in network.named_parameters()}
        for name, parameter in network.named_parameters():
            parameter.copy_(weights[name])
    try:
        yield
    finally:
        with torch.no_grad():
            for name, parameter in network.named_parameters():
                parameter.copy_(own[name])


def mixed(one: Mapping[str, Tensor], other: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """The weights of ``one``, and ``share`` of the other's, in float32."""
    with torch.no_grad():
        return {name: tensor.float().lerp(other[name].float(), share) for name, tensor in one.items()}


def learn_between(
    network: Module,
    base: Mapping[str, Tensor],
    share: float,
    draw: Callable[[], Tensor],
    loss_of: Callable[[Tensor], Tensor],
) -> Tensor:
    """The loss of a mixture, ``base`` and ``share`` of the network's weights; the network gets its gradients.

    draw: the picture of the weights that are in place. loss_of: their loss, given the picture of ``base``.
    """
    weights = mixed(base, dict(network.named_parameters()), share)
    with weights_in_place(network, base), torch.no_grad():
        plain = draw()
    with weights_in_place(network, weights):
        loss = loss_of(plain)
        loss.backward()  # type: ignore[no-untyped-call]
    # The network's own weights are its share of the mixture.
    for parameter in network.parameters():
        if parameter.grad is not None:
            parameter.grad.mul_(share)
    return loss


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    for name in ("faithful", "clean", "vivid"):
        parser.add_argument(name, type=Path)
    for name in ("denoise", "detail"):
        parser.add_argument(name, type=float)
    parser.add_argument("out", type=Path)
    options = parser.parse_args(arguments)
    family = Family(load_file(options.faithful), load_file(options.clean), torch.device("cpu"))
    base = family.without_detail(options.denoise)
    save_file(mixed(base, load_file(options.vivid), options.detail), options.out)


if __name__ == "__main__":
    main()
