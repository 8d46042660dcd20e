"""PSNR of luma and chroma, between 8-bit pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

# BT.601 studio range as Matlab's rgb2ycbcr has it and as papers on upscaling use it: Y in [16, 235],
# Cb and Cr in [16, 240]; ITU-R BT.601-7, 2.5.
STUDIO = np.array(
    ((65.481, 128.553, 24.966), (-37.797, -74.203, 112.0), (112.0, -93.786, -18.214)), np.float64
)


@dataclass(frozen=True, slots=True)
class Score:
    """PSNR in dB of each plane, against a peak of 255."""

    y: float
    cb: float
    cr: float


def psnr(picture: Bytes, truth: Bytes, border: int = 4) -> Score:
    """Compare two (h, w, 3) uint8 RGB pictures without their outermost ``border`` pixels."""
    inner = slice(border, -border)
    difference = picture[inner, inner].astype(np.float64) - truth[inner, inner].astype(np.float64)
    planes = difference @ STUDIO.T / 255.0
    errors = np.maximum((planes**2).mean(axis=(0, 1)), 1e-10)
    y, cb, cr = (10.0 * np.log10(255.0**2 / errors)).tolist()
    return Score(y, cb, cr)
