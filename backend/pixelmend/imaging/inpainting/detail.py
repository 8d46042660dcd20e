"""How much fine detail an image has from place to place, and how to add what a smooth filling lacks."""

import numpy as np

from pixelmend.imaging.inpainting.pyramid import Mask, Plane, blurred, doubled, levels_of

_DETAIL_PX = 1.5
_AROUND_PX = 3.0
"""Standard deviations: of the blur that separates detail, and of the area in which its strength is
measured."""
_SHARE = 1.27
_VISIBLE_VARIANCE = 60.0
"""The variance of detail, of 255^2, that is most easily seen to be wrong: the constant of SSIM that separates
flat from textured is 58. Half of the share is given there, more for a much lower or much higher variance."""
_GREATEST_GAIN = 2.0
"""Detail that is amplified more does not look like the texture it came from."""
_TRANSFER_PX = 2.0


def brightness(pixels: Plane) -> Plane:
    """(H, W) from (H, W, 1) grey or (H, W, 3) RGB, by the weights of ITU-R BT.601."""
    if pixels.shape[2] == 1:
        return pixels[:, :, 0]
    luma: Plane = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
    return luma


def expected_strength(pixels: Plane, hole: Mask) -> Plane:
    """Root mean square of the detail: measured in known pixels, spread smoothly over the hole.

    pixels: (H, W, C) float32. Returns (H, W). The logarithm is spread, so that a
    hole in the sky beside a tower gets the detail of the sky.
    """
    known = (~hole).astype(np.float32)
    luma = brightness(pixels) * known
    detail = luma - blurred(luma, _DETAIL_PX) / np.maximum(blurred(known, _DETAIL_PX), np.float32(1e-6))
    weight = blurred(known, _AROUND_PX)
    power = blurred(detail**2 * known, _AROUND_PX) / np.maximum(weight, np.float32(1e-6))
    logarithm = np.log1p(np.sqrt(np.maximum(power, 0)))
    return np.expm1(_spread(logarithm, hole))


def strength(pixels: Plane) -> Plane:
    """As `expected_strength` of an image that has no hole."""
    luma = brightness(pixels)
    detail = luma - blurred(luma, _DETAIL_PX)
    return np.sqrt(np.maximum(blurred(detail**2, _AROUND_PX), 0))


def add_grain(low_variance: Plane, high_variance: Plane, expected: Plane) -> Plane:
    """`low_variance` plus as much of the fine brightness of `high_variance` as is expected there.

    Colour is left as it is: its detail is weak, and wrong detail looks like noise of the sensor.
    low_variance, high_variance: (H, W, C) float32 for values up to 255; expected: (H, W).
    """
    luma = brightness(high_variance)
    detail = luma - blurred(luma, _TRANSFER_PX)
    power = expected**2
    share = _SHARE / (1 + 4 * _VISIBLE_VARIANCE * power / (power + np.float32(_VISIBLE_VARIANCE)) ** 2)
    missing = np.sqrt(np.maximum(share**2 * power - strength(low_variance) ** 2, 0))
    gain = np.minimum(missing / (strength(detail[:, :, None]) + np.float32(0.3)), _GREATEST_GAIN)
    result: Plane = low_variance + (gain * detail)[:, :, None]
    return result


def _spread(plane: Plane, hole: Mask) -> Plane:
    """Known values, continued into the hole from coarse to fine."""
    filled: Plane | None = None
    for level in reversed(levels_of(plane[:, :, None], hole)):
        if filled is None:
            filled = level.pixels
        else:
            filled = np.where(level.hole[:, :, None], doubled(filled, level.hole.shape), level.pixels)
    assert filled is not None
    return filled[:, :, 0]
