"""A step of the vivid network: towards the teacher's pictures, and past a judge that knows them apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.crispness import comb_loss, energy_loss, likeness_loss, slope_loss
from training.discriminator import Discriminator
from training.mixtures import Family, drawn_dials, learn_between
from training.optim import set_rates, take_up_state
from training.precision import autocast
from training.tone import keep_tone
from training.trainer import TrainConfig, Trainer, loss_of, rate_factor, spectrum_loss

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class VividConfig:
    """How much each loss counts beside that of pixels, which counts 1.

    For the share ``alone`` of the run there is no judge: pixels and slopes are learned faster without it.
    mixed: the share of steps between the ends of the family's dials, if the family is known.
    """

    slope: float = 0.5
    spectrum: float = 0.05
    energy: float = 0.5
    comb: float = 2.0
    tone: float = 0.0
    likeness: float = 0.0
    adversarial: float = 0.01
    alone: float = 0.2
    judge_features: int = 64
    judge_rate: float = 2e-4
    mixed: float = 0.4


class VividTrainer(Trainer):
    """A ``Trainer`` whose high pictures are a teacher's, with a judge beside the network."""

    def __init__(
        self,
        config: TrainConfig,
        vivid: VividConfig,
        device: torch.device,
        start: Mapping[str, Tensor],
        *,
        family: Family | None = None,
        compiled: bool = False,
    ) -> None:
        """``start``: a network's weights. ``family``: the ends of the dials besides the vivid network."""
        super().__init__(config, device, compiled=compiled, start=start)
        self.vivid = vivid
        self._family = family
        torch.manual_seed(config.seed)
        judge = Discriminator(vivid.judge_features)
        self.judge = judge.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.judge_optimiser = torch.optim.Adam(self.judge.parameters(), vivid.judge_rate, betas=(0.9, 0.99))
        self.judge_optimiser.param_groups[0]["peak"] = vivid.judge_rate
        if self.traced:
            self.forward = torch.compile(self.network)
        self.parts: dict[str, float] = {}

    def learn(self, low: Tensor, high: Tensor, progress: float) -> Tensor:
        """See ``Trainer.learn``. The judge takes its step too; the ``parts`` are kept for the report."""
        set_rates([self.judge_optimiser], rate_factor(self.step, progress, self.config.warm_up))
        target = keep_tone(high, low)
        # The seed and the step alone decide which steps lie in between, and where.
        rng = np.random.default_rng((self.config.seed, self.step, 4))
        if self._family is not None and rng.random() < self.vivid.mixed:
            loss, parts = self._between(self._family, drawn_dials(rng), low, target)
        else:
            loss, parts = self._at_the_end(low, target, judged=progress >= self.vivid.alone)
        self.parts = {name: float(part.detach()) for name, part in parts.items()}
        return loss

    def _at_the_end(self, lows: Tensor, target: Tensor, *, judged: bool) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss and its parts of the vivid network itself; gradients are there."""
        output = self.draw(lows)
        parts = self._parts(output, target)
        loss = self._content_loss(parts)
        if judged:
            parts["adversarial"] = self._looks_made(output)
            loss = loss + self.vivid.adversarial * parts["adversarial"]
        loss.backward()  # type: ignore[no-untyped-call]
        if judged:
            parts["judge"] = self._teach_judge(output.detach(), target)
        return loss, parts

    def _between(
        self, family: Family, dials: tuple[float, float], lows: Tensor, target: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The same of a mixture: what lies between pictures is what it should draw."""
        denoise, detail = dials
        parts: dict[str, Tensor] = {}

        def loss_of_mixture(plain: Tensor) -> Tensor:
            parts.update(self._parts(self.draw(lows), plain.lerp(target, detail)))
            return self._content_loss(parts)

        base = family.without_detail(denoise)
        loss = learn_between(self.network, base, detail, lambda: self.draw(lows), loss_of_mixture)
        return loss, {f"mixed {name}": part for name, part in parts.items()}

    def _content_loss(self, parts: Mapping[str, Tensor]) -> Tensor:
        weighted = [getattr(self.vivid, name) * part for name, part in parts.items() if name != "pixel"]
        return torch.stack([parts["pixel"], *weighted]).sum()

    def content(self) -> dict[str, Any]:
        """What a checkpoint holds: the judge's as well."""
        return {
            **super().content(),
            "judge": self.judge.state_dict(),
            "judge_optimiser": self.judge_optimiser.state_dict(),
        }

    def take_up(self, content: Mapping[str, Any]) -> None:
        """Go on from what a checkpoint holds."""
        super().take_up(content)
        self.judge.load_state_dict(content["judge"])
        take_up_state(self.judge_optimiser, content["judge_optimiser"])

    def _parts(self, output: Tensor, target: Tensor) -> dict[str, Tensor]:
        parts = {
            "pixel": loss_of(output, target, self.config.chroma, self.config.softening),
            "slope": slope_loss(output, target),
            "spectrum": spectrum_loss(output, target),
            "energy": energy_loss(output, target),
            "comb": comb_loss(output, target, self.config.network.scale),
            "tone": (output - target).mean(dim=(2, 3)).abs().mean(),
        }
        if self.vivid.likeness > 0.0:  # computed only if it counts
            parts["likeness"] = likeness_loss(output, target)
        return parts

    def _looks_made(self, output: Tensor) -> Tensor:
        """The adversarial loss; the judge itself is not moved by it."""
        self.judge.requires_grad_(False)
        loss = functional.softplus(-self._judged(output)).mean()
        self.judge.requires_grad_(True)
        return loss

    def _teach_judge(self, output: Tensor, target: Tensor) -> Tensor:
        real, made = self._judged(target), self._judged(output)
        loss = functional.softplus(-real).mean() + functional.softplus(made).mean()
        self.judge_optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.judge_optimiser.step()
        return loss.detach()

    def _judged(self, pictures: Tensor) -> Tensor:
        with autocast(self.device, self.dtype):
            logits: Tensor = self.judge(pictures)
        return logits.float()
