"""Converts the arrays of callers, images and masks, to what the engine takes."""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pixelmend.core.geometry import Size
from pixelmend.imaging.canvas import Pixels
from pixelmend.imaging.probe import InputLimits, check_size
from pixelmend.library.errors import InvalidArgument, as_invalid_arguments

_SHAPES = "(H, W), (H, W, 1) grey, (H, W, 2) grey with alpha, (H, W, 3) RGB or (H, W, 4) RGBA"


def as_pixels(image: NDArray[Any], name: str, limits: InputLimits) -> Pixels:
    """(H, W, C), C from 1 to 4, uint8 or uint16 in native order; strides are as they come.

    name: of the argument, for errors. Raises InvalidArgument.
    """
    if not isinstance(image, np.ndarray):
        raise InvalidArgument(f"{name} is {_kind(image)}; it has to be a NumPy array, as np.asarray gives it")
    if image.ndim not in (2, 3) or (image.ndim == 3 and not 1 <= image.shape[2] <= 4):
        raise InvalidArgument(f"{name} has the shape {image.shape}; it has to be {_SHAPES}")
    if image.size == 0:
        raise InvalidArgument(f"{name} has the shape {image.shape}; it has no pixels")
    if image.dtype.newbyteorder("=") not in (np.uint8, np.uint16):
        raise InvalidArgument(f"{name} has the type {image.dtype}; {_conversion(image.dtype)}")
    with as_invalid_arguments():
        check_size(Size(image.shape[1], image.shape[0]), limits)
    pixels = image[:, :, None] if image.ndim == 2 else image
    return cast("Pixels", pixels.astype(pixels.dtype.newbyteorder("="), copy=False))


def as_mask(mask: NDArray[Any], limits: InputLimits) -> Pixels:
    """As `as_pixels`; of Booleans, True is white."""
    if isinstance(mask, np.ndarray) and mask.dtype == np.bool_:
        mask = mask.astype(np.uint8) * np.uint8(255)
    return as_pixels(mask, "mask", limits)


def like(image: NDArray[Any], pixels: Pixels) -> NDArray[Any]:
    """A result (H, W, C) with as many dimensions as its source."""
    return pixels[:, :, 0] if image.ndim == 2 else pixels


def _kind(value: object) -> str:
    return f"of the type {type(value).__module__}.{type(value).__qualname__}"


def _conversion(dtype: np.dtype[Any]) -> str:
    if dtype.kind == "f":
        return (
            "make it uint8, np.rint(x * 255).clip(0, 255).astype(np.uint8) if 1.0 is white, "
            "or uint16 in the same way with 65535"
        )
    return "uint8 (0 to 255) and uint16 (0 to 65535) are taken"
