"""One photograph with every kind of pixels that the library takes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelmend.core.geometry import Size
from pixelmend.imaging.metadata import Metadata
from pixelmend.imaging.png import PngWriter
from tests.pictures import photo

Array = NDArray[Any]


def pictures(side_px: int = 64) -> dict[str, Array]:
    """By what they are; of 8 and of 16 bits."""
    rgb = photo(side_px=side_px)
    grey = photo("camera", side_px=side_px)
    alpha = np.hypot(*(np.indices((side_px, side_px)) - side_px / 2))
    alpha = ((side_px * 0.45 - alpha) * 25).clip(0, 255).astype(np.uint8)
    eight = {
        "rgb": rgb,
        "grey": grey,
        "one channel": grey[:, :, None],
        "grey and alpha": np.dstack([grey, alpha]),
        "rgba": np.dstack([rgb, alpha]),
        "opaque rgba": np.dstack([rgb, np.full_like(alpha, 255)]),
    }
    # Low bytes that are not the high ones again, as a camera has them.
    noise = np.random.default_rng(7)
    sixteen = {
        f"{name}, 16 bits": (pixels.astype(np.uint16) << 8) + noise.integers(0, 256, pixels.shape, np.uint16)
        for name, pixels in eight.items()
        if name in ("rgb", "grey", "rgba")
    }
    return eight | sixteen


def as_png(pixels: Array, path: Any) -> None:
    """Every kind of pixels; Pillow has no 16-bit colours."""
    pixels = pixels if pixels.ndim == 3 else pixels[:, :, None]
    height, width, channels = pixels.shape
    size = Size(width, height)
    with PngWriter(path, size, channels, pixels.dtype.itemsize * 8, Metadata(), threads=1) as writer:
        writer.write_rows(pixels)
        writer.finish()
