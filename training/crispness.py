"""Losses that hold a student to how crisp its teacher's pictures are; all take (n, 3, h, w) RGB in [0, 1].

The mean of plausible textures is a blur, so a loss of pixels alone rewards blur. Slopes say where luma
changes (and the spectrum how often: ``training.trainer``); the energy says how much, wherever exactly that
is; and HaarPSI compares how large each step of luma is, not its sign. A network's cheapest energy is a grid
of dots, one for each pixel of the low picture: the comb loss sees it, and the energies of reduced pictures do
not take it for the coarse ones.
"""

from __future__ import annotations

import torch
from piq import haarpsi
from torch import Tensor
from torch.nn import functional

from training.colour import to_ycc

# Sides of the squares over which energies are compared, px, and the reductions of the picture.
SQUARES_PX = (8, 24)
REDUCTIONS = (1, 2, 4)
# Side of the squares over which a grid of dots is looked for, px of the low picture.
COMB_PX = 5
# So weak a slope, about half a step of 1/255, does not count.
FLOOR = 0.002


def slopes(pictures: Tensor) -> Tensor:
    """Differences of luma to the right and down: (n, 2, h - 1, w - 1)."""
    luma = to_ycc(pictures)[:, :1]
    across = luma[:, :, :-1, 1:] - luma[:, :, :-1, :-1]
    down = luma[:, :, 1:, :-1] - luma[:, :, :-1, :-1]
    return torch.cat((across, down), 1)


def slope_loss(output: Tensor, target: Tensor) -> Tensor:
    """The mean error of the slopes."""
    return (slopes(output) - slopes(target)).abs().mean()


def energy_loss(output: Tensor, target: Tensor) -> Tensor:
    """The mean error of the slopes' root mean square over squares of pixels, wherever in them they are.

    Of both pictures as they are and reduced, so that fine energy does not stand in for coarse.
    """
    errors = []
    for reduction in REDUCTIONS:
        smaller = [functional.avg_pool2d(pictures, reduction) for pictures in (output, target)]
        powers = [slopes(pictures).square().sum(dim=1, keepdim=True) for pictures in smaller]
        for side in SQUARES_PX:
            roots = [
                (functional.avg_pool2d(power, min(side, power.shape[3]), side // 2) + FLOOR**2).sqrt()
                for power in powers
            ]
            errors.append((roots[0] - roots[1]).abs().mean())
    return torch.stack(errors).mean()


def comb_loss(output: Tensor, target: Tensor, scale: int) -> Tensor:
    """The mean error of what repeats every ``scale`` pixels, in squares of ``COMB_PX`` such periods."""
    phases = functional.pixel_unshuffle(to_ycc(output - target)[:, :1], scale)
    means = functional.avg_pool2d(phases, COMB_PX, 1)
    return (means - means.mean(dim=1, keepdim=True)).abs().mean()


def likeness_loss(output: Tensor, target: Tensor) -> Tensor:
    """1 - HaarPSI (Reisenhofer et al. 2018), the measure that ``training.evaluate_vivid`` prints."""
    likeness: Tensor = haarpsi(output.clamp(0.0, 1.0), target.clamp(0.0, 1.0), data_range=1.0)
    return 1.0 - likeness
