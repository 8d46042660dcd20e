"""How a network in training stands: PSNR on photographs, against bicubic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from training.degrade import add_noise, compress
from training.methods import bicubic, upscale
from training.metrics import Score, psnr
from training.networks import Network
from training.photos import NAMES, photo
from training.reduction import reduce_image

Bytes = NDArray[np.uint8]

SPOILING_QUALITY = 50
# What a run that learns to clean is watched at, in steps of 1/255.
WATCHED_NOISE = 10.0


@dataclass(frozen=True, slots=True)
class Result:
    """How one photograph came out."""

    name: str
    bicubic: Score
    model: Score

    @property
    def gain(self) -> Score:
        """The model's PSNR less that of bicubic, dB."""
        return minus(self.model, self.bicubic)


def minus(one: Score, other: Score) -> Score:
    """The difference in each plane, dB."""
    return Score(one.y - other.y, one.cb - other.cb, one.cr - other.cr)


def mean(scores: Sequence[Score]) -> Score:
    """The mean in each plane, dB."""
    return Score(*np.array([(s.y, s.cb, s.cr) for s in scores]).mean(axis=0).tolist())


def spoil(low: Bytes, noise: float) -> Bytes:
    """Noise of deviation ``noise``/255, always the same, then JPEG of quality 50: (h, w, 3) uint8."""
    return compress(add_noise(np.random.default_rng(0), low, noise), SPOILING_QUALITY)


def reduced(truth: Bytes, scale: int, noise: float | None = None) -> Bytes:
    """What is to be upscaled, with ``noise`` spoilt as well: (s*h, s*w, 3) to (h, w, 3), uint8."""
    low = reduce_image(truth, scale)
    return low if noise is None else spoil(low, noise)


def judge(
    network: Network,
    names: Sequence[str] = NAMES,
    precision: torch.dtype = torch.float32,
    noise: float | None = None,
) -> list[Result]:
    """One result per photograph; both upscale it as ``reduced`` says."""
    scale = network.config.scale
    results = []
    for name in names:
        truth = photo(name, scale)
        low = reduced(truth, scale, noise)
        base = psnr(bicubic(scale).upscale(low), truth)
        results.append(Result(name, base, psnr(upscale(network, low, precision), truth)))
    return results


def mean_gain(results: Sequence[Result]) -> Score:
    """The mean over photographs of the gain in each plane, dB."""
    return mean([result.gain for result in results])


def flat_deviation(
    network: Network, border: int, levels: Sequence[int] = (0, 32, 64, 128, 192, 224, 255)
) -> int:
    """The largest error of any channel on flat pictures from black to white, in steps of 1/255.

    The outermost ``border`` input pixels are left out: zeros pad the convolutions there.
    """
    worst = 0
    inner = slice(border * network.config.scale, (48 - border) * network.config.scale)
    for level in levels:
        output = upscale(network, np.full((48, 48, 3), level, np.uint8))[inner, inner]
        worst = max(worst, int(np.abs(output.astype(np.int16) - level).max()))
    return worst
