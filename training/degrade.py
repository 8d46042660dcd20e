"""From a high picture to the low one that a network is given: reduced, or with what pictures suffer.

The second-order chain is that of Wang et al. 2021, "Real-ESRGAN: training real-world blind super-resolution
with pure synthetic data": blur, resizing, noise and JPEG, twice over, and a sinc filter for the rings that
sharpening leaves. As in leaves.py, all randomness comes from the numpy generator that is passed in.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.reduction import reduce_image

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

RESIZERS = (
    Image.Resampling.BOX,
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
)
# Filters wrap around; so far from the border that nothing of it is left.
MARGIN_PX = 24


@dataclass(frozen=True, slots=True)
class Stage:
    """One pass of blur, resizing, noise and JPEG; ``noise`` in steps of 1/255, ``quality`` that of JPEG.

    ``blur`` bounds the Gaussian's deviation, in pixels of the low picture; ``size`` the side after resizing,
    in sides of the low picture.
    """

    blur_odds: float
    blur: tuple[float, float]
    size: tuple[float, float]
    noise_odds: float
    noise: tuple[float, float]
    quality: tuple[int, int]


@dataclass(frozen=True, slots=True)
class DegradeConfig:
    """Which share is only reduced (``untouched``) and which noisy and compressed as well (``mild``).

    The rest go through the chain of ``first``, ``second`` and, at ``sinc_odds``, the sinc filter.
    """

    untouched: float = 0.05
    mild: float = 0.77
    mild_noise: tuple[float, float] = (0.0, 18.0)
    mild_quality: tuple[int, int] = (30, 95)
    first: Stage = Stage(0.7, (0.05, 0.45), (1.0, 4.5), 0.7, (1.0, 14.0), (40, 96))
    second: Stage = Stage(0.5, (0.05, 0.35), (0.8, 1.6), 0.6, (1.0, 10.0), (35, 96))
    sinc_odds: float = 0.3


# What phones and old web pages do to photographs: milder than the chain of the paper, seldom untouched.
EVERYDAY = DegradeConfig(
    untouched=0.05,
    mild=0.15,
    mild_noise=(0.0, 8.0),
    mild_quality=(50, 95),
    first=Stage(0.7, (0.05, 0.5), (1.0, 4.5), 0.5, (1.0, 8.0), (60, 96)),
    second=Stage(0.5, (0.05, 0.4), (0.8, 1.6), 0.4, (0.5, 6.0), (50, 92)),
    sinc_odds=0.2,
)


def compress(picture: Bytes, quality: int) -> Bytes:
    """Through JPEG and back, chroma halved as is usual: (h, w, 3) uint8, the shape kept."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file, formats=("JPEG",)))


def add_noise(rng: np.random.Generator, picture: Bytes, deviation: float) -> Bytes:
    """(h, w, 3) uint8 with normal noise, apart in each channel; ``deviation`` in steps of 1/255."""
    noise = rng.standard_normal(picture.shape, np.float32) * np.float32(deviation)
    return _rounded(picture + noise)


def degrade(rng: np.random.Generator, high: Bytes, scale: int, config: DegradeConfig) -> Bytes:
    """One low picture of ``high``: (s*h, s*w, 3) to (h, w, 3), uint8, no pixel shifted."""
    kind = rng.random()
    if kind < config.untouched + config.mild:
        low = reduce_image(high, scale)
        if kind < config.untouched:
            return low
        noisy = _some_noise(rng, low, float(rng.uniform(*config.mild_noise)))
        return compress(noisy, int(rng.integers(*config.mild_quality, endpoint=True)))
    side = (high.shape[1] // scale, high.shape[0] // scale)
    picture = _pass(rng, high, side, config.first)
    picture = compress(picture, int(rng.integers(*config.first.quality, endpoint=True)))
    picture = _pass(rng, picture, side, config.second)
    # The last reduction and the last compression come in either order: blocks of 8 pixels, or blurred ones.
    quality = int(rng.integers(*config.second.quality, endpoint=True))
    if rng.random() < 0.3:
        picture = compress(picture, quality)
        return _sharpened(rng, _resized(rng, picture, side), config)
    return compress(_sharpened(rng, _resized(rng, picture, side), config), quality)


def _pass(rng: np.random.Generator, picture: Bytes, side: tuple[int, int], stage: Stage) -> Bytes:
    """Blur, resizing and noise of one stage; ``side`` is (width, height) of the low picture."""
    if rng.random() < stage.blur_odds:
        per_px = picture.shape[1] / side[0]
        deviations = rng.uniform(*stage.blur, 2) * per_px
        if rng.random() < 0.6:  # mostly round
            deviations[1] = deviations[0]
        picture = blur(picture, deviations, float(rng.uniform(0.0, np.pi)))
    factor = float(np.exp(rng.uniform(*np.log(stage.size))))
    picture = _resized(rng, picture, (round(side[0] * factor), round(side[1] * factor)))
    if rng.random() < stage.noise_odds:
        # Noise of larger pictures averages out on the way down.
        picture = _some_noise(rng, picture, float(rng.uniform(*stage.noise)) * max(1.0, factor) ** 0.5)
    return picture


def _some_noise(rng: np.random.Generator, picture: Bytes, deviation: float) -> Bytes:
    """The noise of a sensor: even, or growing with the light; in colour, or grey."""
    kind = rng.random()
    if kind < 0.45:
        return add_noise(rng, picture, deviation)
    shape = picture.shape if kind < 0.75 else (*picture.shape[:2], 1)
    noise = rng.standard_normal(shape, np.float32) * np.float32(deviation)
    if rng.random() < 0.6:
        noise = noise * np.sqrt(picture / np.float32(128.0) + np.float32(0.05))
    return _rounded(picture + noise)


def _resized(rng: np.random.Generator, picture: Bytes, size: tuple[int, int]) -> Bytes:
    method = RESIZERS[int(rng.integers(len(RESIZERS)))]
    return np.asarray(Image.fromarray(picture).resize(size, method))


def _sharpened(rng: np.random.Generator, picture: Bytes, config: DegradeConfig) -> Bytes:
    """Sometimes without its highest frequencies, which leaves rings."""
    if rng.random() >= config.sinc_odds:
        return picture
    cut = float(rng.uniform(0.3, 0.5))  # periods per pixel
    return _filtered(picture, lambda across, down: (np.hypot(across, down) <= cut).astype(np.float32))


def blur(picture: Bytes, deviations: NDArray[np.float64], angle: float = 0.0) -> Bytes:
    """(h, w, 3) uint8, blurred by a Gaussian of two deviations (pixels), the first along ``angle``."""
    first, second = (2.0 * np.pi * deviations).tolist()

    def transfer(across: Floats, down: Floats) -> Floats:
        along = np.cos(angle) * across + np.sin(angle) * down
        beside = np.cos(angle) * down - np.sin(angle) * across
        gain: Floats = np.exp(-0.5 * ((first * along) ** 2 + (second * beside) ** 2)).astype(np.float32)
        return gain

    return _filtered(picture, transfer)


def _filtered(picture: Bytes, transfer: Callable[[Floats, Floats], Floats]) -> Bytes:
    """Each frequency times ``transfer`` of its periods per pixel (across, down); the border is mirrored."""
    margin = min(MARGIN_PX, *(side - 1 for side in picture.shape[:2]))
    padded = np.pad(picture.astype(np.float32), ((margin, margin), (margin, margin), (0, 0)), "reflect")
    height, width = padded.shape[:2]
    down = np.fft.fftfreq(height).astype(np.float32)[:, None]
    across = np.fft.rfftfreq(width).astype(np.float32)[None, :]
    spectrum = np.fft.rfft2(padded, axes=(0, 1)) * transfer(across, down)[..., None]
    filtered = np.fft.irfft2(spectrum, s=(height, width), axes=(0, 1))
    return _rounded(filtered[margin : height - margin, margin : width - margin].astype(np.float32))


def _rounded(values: Floats) -> Bytes:
    rounded: Bytes = (np.clip(values, 0.0, 255.0) + np.float32(0.5)).astype(np.uint8)
    return rounded
