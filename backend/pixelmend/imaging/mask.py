"""From a drawn mask to the pixels that are removed, and how the filling is blended in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelmend.errors import InvalidParameter, PixelmendError
from pixelmend.imaging.distance import distance_to
from pixelmend.imaging.geometry import Size
from pixelmend.imaging.holes import plan_holes

Mask = NDArray[np.bool_]

_THRESHOLD = 128
_ASPECT_TOLERANCE_PX = 1.0


@dataclass(frozen=True, slots=True)
class Hole:
    """What is to be removed. pixels: (H, W) bool."""

    pixels: Mask

    @property
    def is_empty(self) -> bool:
        """Nothing is to be removed."""
        return not self.pixels.any()

    @property
    def is_everything(self) -> bool:
        """Nothing would be left to go by."""
        return bool(self.pixels.all())

    @property
    def area_px(self) -> int:
        return int(np.count_nonzero(self.pixels))


def hole_from_mask(mask: NDArray[Any], image: Size) -> Hole:
    """What a mask file says, at the image's size.

    mask: (H, W, C) uint8 or uint16. One channel (grey) or three (RGB): white is removed, from a brightness of
    128 of 255 on. Two or four: with transparency, and the more transparent part is removed, whatever its
    colour, unless all is opaque; then the colour counts. Raises InvalidParameter where the mask's shape is
    not the image's.
    """
    if mask.ndim != 3 or mask.shape[2] not in (1, 2, 3, 4) or mask.dtype not in (np.uint8, np.uint16):
        raise InvalidParameter(f"a mask of shape {mask.shape} and {mask.dtype} cannot be read")
    top = int(np.iinfo(mask.dtype).max)
    threshold = _THRESHOLD * (top // 255)
    has_alpha = mask.shape[2] in (2, 4)
    if has_alpha and (mask[:, :, -1] < top).any():
        removed = mask[:, :, -1] < threshold
    else:
        removed = _is_bright(mask[:, :, :-1] if has_alpha else mask, threshold)
    return Hole(_scaled(removed, image))


def check_same_shape(mask: Size, image: Size) -> None:
    """Sides may be rounded by a pixel. Raises InvalidParameter where the mask has another shape."""
    tolerance = _ASPECT_TOLERANCE_PX * max(image.width, image.height, mask.width, mask.height)
    if abs(mask.width * image.height - mask.height * image.width) > tolerance:
        raise InvalidParameter(f"the mask is {mask} px and the image {image} px: their shapes differ")


def about_the_mask(error: PixelmendError) -> PixelmendError:
    """The same error, which says which of the two files it is about."""
    return error if "mask" in error.message else type(error)(f"the mask: {error.message}")


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
    """How much of the filling is seen: (H, W) float32 in [0, 1]. Meant for a crop of a large image.

    1 in the hole; falls linearly with the distance from it, and is exactly 0 outside `grow(hole, radius_px)`,
    which is what to fill.
    """
    if radius_px < 0:
        raise InvalidParameter(f"a hole cannot be feathered by {radius_px} px; it takes 0 or more")
    if not radius_px:
        return hole.astype(np.float32)
    weights: NDArray[np.floating[Any]] = 1 - distance_to(hole, radius_px) / np.float32(radius_px + 1)
    return weights.clip(0, 1)


def _is_bright(mask: NDArray[Any], threshold: int) -> Mask:
    """(H, W), by the weights of ITU-R BT.601, in whole numbers so that grey 128 is exactly 128."""
    if mask.shape[2] == 1:
        return mask[:, :, 0] >= threshold
    bright: Mask = mask.astype(np.int32) @ np.array([299, 587, 114], np.int32) >= threshold * 1000
    return bright


def _scaled(removed: Mask, image: Size) -> Mask:
    """A pixel is removed where any part of it is: a thin stroke survives. Sides may be rounded by a pixel."""
    size = Size(removed.shape[1], removed.shape[0])
    check_same_shape(size, image)
    if size == image:
        return removed
    return _any_along(_any_along(removed, image.height).T, image.width).T


def _any_along(removed: Mask, length: int) -> Mask:
    """Rows scaled to `length`: set where one of the rows that overlap it is."""
    height = len(removed)
    counts = np.pad(removed, ((1, 0), (0, 0))).cumsum(axis=0, dtype=np.int32)
    place = np.arange(length)
    some: Mask = counts[-(-(place + 1) * height // length)] > counts[place * height // length]
    return some


def _boxes(hole: Mask, margin_px: int) -> Iterator[tuple[slice, slice]]:
    """Where the hole is, with a margin; together they hold all of it, whatever lies between is left out."""
    plan = plan_holes(hole)
    return (crop.own.widened(margin_px, plan.size).as_slices() for crop in plan)
