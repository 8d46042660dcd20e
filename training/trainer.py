"""One training run: what a step is, and what a checkpoint holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pixelmend.engine.weights.compact import NetworkConfig
from training.colour import to_ycc
from training.networks import Config, Network, build
from training.networks import start as start_network
from training.optim import OptimConfig, make_optimisers, set_rates, take_up_state
from training.precision import autocast, fast_dtype
from training.winograd import use_winograd, winograd_helps

Bytes = NDArray[np.uint8]


Variant = Literal["faithful", "clean", "vivid"]


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """``variant`` says what its low pictures are; it is only written down.

    ``chroma`` weighs Cb and Cr against Y; about ``softening`` the loss turns from square to absolute or,
    if it is ``relative``, to logarithm (see ``relative_loss``). ``spectrum`` weighs ``spectrum_loss`` beside.
    """

    seed: int = 0
    variant: Variant = "faithful"
    network: Config = field(default_factory=NetworkConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    chroma: float = 0.5
    softening: float = 0.01
    relative: bool = False
    margin: int = 0
    spectrum: float = 0.0
    warm_up: int = 200
    averaging: float = 0.999


def loss_of(output: Tensor, truth: Tensor, chroma: float, softening: float) -> Tensor:
    """Charbonnier's penalty of the errors in Y, Cb and Cr: (n, 3, h, w) RGB tensors in [0, 1] to a scalar.

    Luma and chroma are penalised apart, since in RGB the errors of luma drown those of chroma.
    """
    difference = to_ycc(output - truth)
    penalty = (difference.square() + softening**2).sqrt().mean(dim=(0, 2, 3)) - softening
    total: Tensor = penalty[0] + chroma * (penalty[1] + penalty[2])
    return total


def relative_loss(output: Tensor, truth: Tensor, chroma: float, softening: float) -> Tensor:
    """The logarithm of each patch's root mean square error, in Y, Cb and Cr; arguments as of ``loss_of``.

    PSNR is a mean of logarithms: to halve a weak texture's error gains as much as to halve a strong edge's.
    Errors well below ``softening`` gain nothing more.
    """
    squares = to_ycc(output - truth).square().mean(dim=(2, 3))
    penalty = 0.5 * torch.log1p(squares / softening**2).mean(dim=0)
    total: Tensor = penalty[0] + chroma * (penalty[1] + penalty[2])
    return total


def spectrum_loss(output: Tensor, target: Tensor) -> Tensor:
    """The mean error of the Fourier transform of luma (complex), per root of the pixels."""
    difference = to_ycc(output.float() - target.float())[:, 0]
    error: Tensor = torch.fft.rfft2(difference, norm="ortho").abs().mean()
    return error


def rate_factor(step: int, progress: float, warm_up: int) -> float:
    """Linear warm-up by steps, then a half cosine by ``progress`` in [0, 1], down to 1/1000."""
    cosine = 0.5 * (1.0 + math.cos(math.pi * min(max(progress, 0.0), 1.0)))
    return min(1.0, (step + 1) / warm_up) * max(cosine, 1e-3)


class Trainer:
    """A network, its optimisers, and the running average of its weights, on one device."""

    def __init__(
        self,
        config: TrainConfig,
        device: torch.device,
        *,
        compiled: bool = False,
        start: Mapping[str, Tensor] | None = None,
    ) -> None:
        """``start``: a trained network's weights (see ``start_from``); without them it starts as bicubic.

        ``compiled``: faster steps; raises RuntimeError if there is no C++ compiler.
        """
        self.config = config
        self.device = device
        self.dtype = fast_dtype(device)
        self.step = 0
        self.elapsed = 0.0
        network = build(config.network)
        start_network(network, start, torch.Generator().manual_seed(config.seed))
        self.network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.forward: Callable[[Tensor], Tensor] = self.network
        # With bfloat16 torch.compile saves a third of a step's time on CPUs, in float32 nothing.
        by_winograd = compiled and winograd_helps(device, self.dtype)
        if by_winograd:
            use_winograd(self.network)
        self.traced = compiled and not by_winograd
        self.loss = torch.compile(self._eager_loss) if self.traced else self._eager_loss
        self.optimisers = make_optimisers(self.network, config.optim)
        self.average = {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}

    def train_step(self, low: Bytes, high: Bytes, progress: float) -> Tensor:
        """One step on (n, h, w, 3) and (n, s*h, s*w, 3) uint8 pictures; returns the loss, detached."""
        set_rates(self.optimisers, rate_factor(self.step, progress, self.config.warm_up))
        self.network.zero_grad(set_to_none=True)
        loss = self.learn(self.to_tensor(low), self.to_tensor(high), progress)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.optim.clip)
        for optimiser in self.optimisers:
            optimiser.step()
        self.step += 1
        self.update_average()
        return loss.detach()

    def learn(self, low: Tensor, high: Tensor, progress: float) -> Tensor:
        """The loss of one batch, whose gradients are then there; ``progress`` as of ``train_step``."""
        loss: Tensor = self.loss(low, high)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    def draw(self, low: Tensor) -> Tensor:
        """The network's pictures, float32."""
        with autocast(self.device, self.dtype):
            output = self.forward(low)
        return output.float()

    def averaged(self) -> Network:
        """A copy of the network holding the averaged weights, in evaluation mode."""
        network = build(self.config.network)
        network.load_state_dict(self.average)
        return network.to(self.device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload, no-any-return]

    def save(self, path: Path) -> None:
        """Write a checkpoint, complete or not at all."""
        part = path.with_suffix(".part")
        torch.save(self.content(), part)
        part.replace(path)

    def load(self, path: Path) -> None:
        """Take up the run a checkpoint was saved from."""
        self.take_up(torch.load(path, map_location=self.device, weights_only=True))

    def content(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {
            "step": self.step,
            "seed": self.config.seed,
            "variant": self.config.variant,
            "elapsed": self.elapsed,
            "network": self.network.state_dict(),
            "average": self.average,
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
        }

    def take_up(self, content: Mapping[str, Any]) -> None:
        """Go on from what a checkpoint holds."""
        self.step, self.elapsed = content["step"], content["elapsed"]
        self.network.load_state_dict(content["network"])
        self.average = content["average"]
        for optimiser, state in zip(self.optimisers, content["optimisers"], strict=True):
            take_up_state(optimiser, state)

    def _eager_loss(self, low: Tensor, high: Tensor) -> Tensor:
        loss = relative_loss if self.config.relative else loss_of
        cut = self.config.margin * self.config.network.scale
        inner = slice(cut, high.shape[2] - cut), slice(cut, high.shape[3] - cut)
        drawn, wanted = self.draw(low)[:, :, *inner], high[:, :, *inner]
        total = loss(drawn, wanted, self.config.chroma, self.config.softening)
        if self.config.spectrum:
            total = total + self.config.spectrum * spectrum_loss(drawn, wanted)
        return total

    def to_tensor(self, pictures: Bytes) -> Tensor:
        """(n, h, w, 3) uint8 to (n, 3, h, w) float32 in [0, 1]; the layout in memory stays channels-last."""
        return torch.from_numpy(pictures).to(self.device).permute(0, 3, 1, 2).float() / 255.0

    @torch.no_grad()
    def update_average(self) -> None:
        # Early on the average must not remember the start for long.
        keep = min(self.config.averaging, (1.0 + self.step) / (10.0 + self.step))
        current = self.network.state_dict()
        names = list(self.average)
        torch._foreach_lerp_([self.average[n] for n in names], [current[n] for n in names], 1.0 - keep)
