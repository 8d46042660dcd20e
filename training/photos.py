"""The photographs the networks are judged on, and never trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage import data

Bytes = NDArray[np.uint8]

SKLEARN = ("china", "flower")
NAMES = ("astronaut", "coffee", "chelsea", "rocket", "hubble_deep_field", "retina", *SKLEARN)


def photo(name: str, multiple: int = 4) -> Bytes:
    """A photograph, its sides cut to multiples of ``multiple``: (h, w, 3) uint8 RGB."""
    if name in SKLEARN:
        from sklearn.datasets import load_sample_image  # takes half a second to import

        image = load_sample_image(f"{name}.jpg")
    else:
        image = getattr(data, name)()
    height, width = (side // multiple * multiple for side in image.shape[:2])
    return np.asarray(image, np.uint8)[:height, :width, :3].copy()
