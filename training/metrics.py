"""How near one 8-bit picture is to another: PSNR by plane, SSIM, HaarPSI; and the traces of JPEG's blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from piq import haarpsi
from skimage.metrics import structural_similarity

Bytes = NDArray[np.uint8]
Doubles = NDArray[np.float64]

# BT.601 studio range as Matlab's rgb2ycbcr has it and as papers on upscaling use it: Y in [16, 235],
# Cb and Cr in [16, 240]; ITU-R BT.601-7, 2.5.
STUDIO = np.array(
    ((65.481, 128.553, 24.966), (-37.797, -74.203, 112.0), (112.0, -93.786, -18.214)), np.float64
)
BORDER_PX = 4


@dataclass(frozen=True, slots=True)
class Score:
    """PSNR in dB of each plane, against a peak of 255."""

    y: float
    cb: float
    cr: float


@dataclass(frozen=True, slots=True)
class Likeness:
    """PSNR, and how alike the structure is: SSIM of luma and HaarPSI, 1 if nothing differs."""

    psnr: Score
    ssim: float
    haarpsi: float


def psnr(picture: Bytes, truth: Bytes, border: int = BORDER_PX) -> Score:
    """Compare two (h, w, 3) uint8 RGB pictures without their outermost ``border`` pixels."""
    difference = _inner(picture, border).astype(np.float64) - _inner(truth, border).astype(np.float64)
    planes = difference @ STUDIO.T / 255.0
    errors = np.maximum((planes**2).mean(axis=(0, 1)), 1e-10)
    y, cb, cr = (10.0 * np.log10(255.0**2 / errors)).tolist()
    return Score(y, cb, cr)


def ssim(picture: Bytes, truth: Bytes, border: int = BORDER_PX) -> float:
    """SSIM of studio luma, with the Gaussian window of Wang et al. 2004; the border as in ``psnr``."""
    return float(
        structural_similarity(  # type: ignore[no-untyped-call]
            luma(_inner(picture, border)),
            luma(_inner(truth, border)),
            data_range=255.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def compare(picture: Bytes, truth: Bytes) -> Likeness:
    """All of it, between two (h, w, 3) uint8 RGB pictures."""
    tensors = [
        torch.from_numpy(_inner(image, BORDER_PX).copy()).permute(2, 0, 1)[None].float() / 255.0
        for image in (picture, truth)
    ]
    return Likeness(psnr(picture, truth), ssim(picture, truth), float(haarpsi(*tensors, data_range=1.0)))


def luma(picture: Bytes) -> Doubles:
    """(h, w, 3) uint8 RGB to (h, w), 16 to 235."""
    values: Doubles = picture @ (STUDIO[0] / 255.0) + 16.0
    return values


def seam_step(picture: Bytes, period_px: int) -> float:
    """How much more luma changes at multiples of ``period_px`` than elsewhere, in 1/255: 0 without blocks.

    Not their ratio, which a smooth sky without a visible seam drives up.
    """
    plane = luma(picture)
    excess = []
    for axis in (0, 1):
        steps = np.abs(np.diff(plane, axis=axis)).mean(axis=1 - axis)
        at_seams = np.arange(len(steps)) % period_px == period_px - 1
        excess.append(steps[at_seams].mean() - steps[~at_seams].mean())
    return float(np.mean(excess))


def _inner(picture: Bytes, border: int) -> Bytes:
    return picture[border : picture.shape[0] - border, border : picture.shape[1] - border]
