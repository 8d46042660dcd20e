"""From a drawn mask to the pixels that are removed, and how the filling is blended in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelmend.core.errors import InvalidParameter
from pixelmend.core.geometry import Size
from pixelmend.imaging.distance import distance_to
from pixelmend.imaging.holes import plan_holes
from pixelmend.imaging.mask_rules import MaskPolarity, check_same_shape

Mask = NDArray[np.bool_]

MASK_THRESHOLD = 128
"""Mask values from this one on, of 255, are set."""
_WEIGHT = 1000
# Lossy formats and soft brushes change one colour by up to this, of 255.
_ONE_COLOUR_TOLERANCE = 16


@dataclass(frozen=True, slots=True)
class Hole:
    """What is to be removed. pixels: (H, W) bool. notes: how the mask was read, if not in the usual way."""

    pixels: Mask
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Nothing is to be removed."""
        return not self.pixels.any()


def hole_from_mask(mask: NDArray[Any], image: Size, polarity: MaskPolarity = MaskPolarity.AUTO) -> Hole:
    """The hole that a mask means, at the image's size.

    mask: (H, W, C) uint8 or uint16; C of 1 (grey) or 3 (RGB), and 2 or 4 with transparency. polarity: `auto`
    is `transparent` if some of the mask is more than half transparent, but `opaque` if less than half of it
    is opaque and in one colour: a stroke on an empty canvas. Else it is `white`: removed is what is as bright
    as 128 of 255 or, if nothing is, as half of the brightest. Raises InvalidParameter if the mask's shape is
    not the image's, or for a polarity that needs transparency if the mask has none.
    """
    if mask.ndim != 3 or mask.shape[2] not in (1, 2, 3, 4) or mask.dtype not in (np.uint8, np.uint16):
        raise InvalidParameter(f"a mask of shape {mask.shape} and {mask.dtype} cannot be read")
    opaque = _opaque(mask)
    if polarity is MaskPolarity.AUTO:
        removed, notes = _by_guess(mask, opaque)
    elif polarity is MaskPolarity.WHITE:
        removed, notes = _bright(mask, opaque)
    elif opaque is None:
        raise InvalidParameter(f"mask_polarity={polarity} needs a mask with transparency; this one has none")
    else:
        removed, notes = opaque if polarity is MaskPolarity.OPAQUE else ~opaque, ()
    return Hole(_scaled(removed, image), notes)


def _opaque(mask: NDArray[Any]) -> Mask | None:
    """(H, W), True if a pixel of the mask is at least half opaque; None if it has no transparency."""
    if mask.shape[2] not in (2, 4):
        return None
    opaque: Mask = mask[:, :, -1] >= _threshold(mask)
    return opaque


def _threshold(mask: NDArray[Any]) -> int:
    return MASK_THRESHOLD * (int(np.iinfo(mask.dtype).max) // 255)


def _by_guess(mask: NDArray[Any], opaque: Mask | None) -> tuple[Mask, tuple[str, ...]]:
    if opaque is None or opaque.all():
        return _bright(mask, opaque)
    if 0 < np.count_nonzero(opaque) * 2 < opaque.size and _is_one_colour(mask[opaque]):
        note = "the mask is a stroke of one colour on a transparent canvas: the stroke was removed"
        return opaque, (f"{note} (mask_polarity=transparent removes the rest)",)
    return ~opaque, ()


def _is_one_colour(pixels: NDArray[Any]) -> bool:
    """pixels: (N, C) with alpha as the last channel, which does not count."""
    colours = pixels[:, :-1].astype(np.int32)
    tolerance = _ONE_COLOUR_TOLERANCE * (int(np.iinfo(pixels.dtype).max) // 255)
    return bool((colours.max(axis=0) - colours.min(axis=0) <= tolerance).all())


def _bright(mask: NDArray[Any], opaque: Mask | None) -> tuple[Mask, tuple[str, ...]]:
    """White pixels, without transparent ones. A mask that is dark throughout is stretched."""
    brightness = _brightness(mask if opaque is None else mask[:, :, :-1])
    if opaque is not None:
        brightness = np.where(opaque, brightness, 0)
    threshold = _threshold(mask) * _WEIGHT
    darkest, brightest = int(brightness.min()), int(brightness.max())
    if darkest < brightest < threshold:
        top = int(np.iinfo(mask.dtype).max) * _WEIGHT
        note = f"the mask's brightest value is {brightest / top:.2%} of white: it was stretched"
        return brightness * 2 >= brightest, (note,)
    return brightness >= threshold, ()


def grow(hole: Mask, radius_px: int) -> Mask:
    """The hole and all pixels within `radius_px` of it (Euclidean), (H, W)."""
    if radius_px < 0:
        raise InvalidParameter(f"a hole cannot grow by {radius_px} px; it takes 0 or more")
    if radius_px == 0 or not hole.any():
        return hole.copy()
    grown = hole.copy()
    for box in _boxes(hole, radius_px):
        grown[box] |= distance_to(hole[box], radius_px) <= radius_px
    return grown


def feather(hole: Mask, radius_px: int) -> NDArray[np.floating[Any]]:
    """The weight of the filling: (H, W) float32 in [0, 1]. Meant for a crop of a large image.

    1 in the hole; it falls linearly with the distance, and is exactly 0 outside `grow(hole, radius_px)`,
    which is the area to fill.
    """
    if radius_px < 0:
        raise InvalidParameter(f"a hole cannot be feathered by {radius_px} px; it takes 0 or more")
    if not radius_px:
        return hole.astype(np.float32)
    weights: NDArray[np.floating[Any]] = 1 - distance_to(hole, radius_px) / np.float32(radius_px + 1)
    return weights.clip(0, 1)


def _brightness(colours: NDArray[Any]) -> NDArray[np.int32]:
    """(H, W), `_WEIGHT` times ITU-R BT.601's luma: in whole numbers, so that grey 128 is exactly 128."""
    if colours.shape[2] == 1:
        return colours[:, :, 0].astype(np.int32) * _WEIGHT
    luma: NDArray[np.int32] = colours.astype(np.int32) @ np.array([299, 587, 114], np.int32)
    return luma


def _scaled(removed: Mask, image: Size) -> Mask:
    """A pixel is removed if any part of it is, so that a thin stroke survives. Sides may be rounded by a
    pixel.
    """
    size = Size(removed.shape[1], removed.shape[0])
    check_same_shape(size, image)
    if size == image:
        return removed
    return _any_along(_any_along(removed, image.height).T, image.width).T


def _any_along(removed: Mask, length: int) -> Mask:
    """Rows scaled to `length`; one is set if any of the rows that overlap it is."""
    height = len(removed)
    counts = np.pad(removed, ((1, 0), (0, 0))).cumsum(axis=0, dtype=np.int32)
    place = np.arange(length)
    some: Mask = counts[-(-(place + 1) * height // length)] > counts[place * height // length]
    return some


def _boxes(hole: Mask, margin_px: int) -> Iterator[tuple[slice, slice]]:
    """Boxes around the parts of the hole, with a margin; together they contain all of it."""
    plan = plan_holes(hole)
    return (crop.own.widened(margin_px, plan.size).as_slices() for crop in plan)
