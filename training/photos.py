"""The photographs the network is judged on, and never trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage import data

Bytes = NDArray[np.uint8]

NAMES = ("astronaut", "coffee", "chelsea", "rocket")


def photo(name: str, multiple: int = 4) -> Bytes:
    """A photograph that scikit-image carries, cut to a multiple of ``multiple``: (h, w, 3) uint8 RGB."""
    image = np.asarray(getattr(data, name)(), np.uint8)
    height, width = (side // multiple * multiple for side in image.shape[:2])
    return image[:height, :width, :3].copy()
