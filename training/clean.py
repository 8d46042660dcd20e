"""A step of the clean network: to the truth, and between it and the faithful one to what lies between."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from training.mixtures import learn_between
from training.trainer import TrainConfig, Trainer


class CleanTrainer(Trainer):
    """A ``Trainer`` that at some steps trains the mixtures which the dial ``denoise`` makes."""

    def __init__(
        self,
        config: TrainConfig,
        device: torch.device,
        faithful: Mapping[str, Tensor],
        mixed: float,
        *,
        compiled: bool = False,
        start: Mapping[str, Tensor] | None = None,
    ) -> None:
        """``faithful``: the other end of the dial, which stays. ``mixed``: the share of such steps."""
        super().__init__(config, device, compiled=compiled, start=start)
        self._faithful = {name: tensor.to(device).float() for name, tensor in faithful.items()}
        self._mixed = mixed

    def learn(self, low: Tensor, high: Tensor, progress: float) -> Tensor:
        """See ``Trainer.learn``. The seed and the step alone decide which steps lie between, and where."""
        rng = np.random.default_rng((self.config.seed, self.step, 4))
        if rng.random() >= self._mixed:
            return super().learn(low, high, progress)
        denoise = float(rng.uniform(0.1, 0.95))

        def loss_of_mixture(plain: Tensor) -> Tensor:
            loss: Tensor = self.loss(low, plain.lerp(high, denoise))
            return loss

        return learn_between(self.network, self._faithful, denoise, lambda: self.draw(low), loss_of_mixture)
