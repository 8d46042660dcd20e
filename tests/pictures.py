"""Small photographs and files made from them."""

import io
import math
from typing import Any

import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image


def photo(name: str = "astronaut", side_px: int = 96, left: int = 180, top: int = 60) -> NDArray[np.uint8]:
    """(side, side, 3) crop of a scikit-image photograph."""
    whole: NDArray[np.uint8] = getattr(skimage.data, name)()
    return np.ascontiguousarray(whole[top : top + side_px, left : left + side_px])


def encoded(pixels: NDArray[Any], image_format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, image_format, **options)
    return buffer.getvalue()


def decoded(data: bytes) -> NDArray[Any]:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def psnr_db(a: NDArray[Any], b: NDArray[Any]) -> float:
    error = float(np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2))
    return 10 * math.log10(255.0**2 / max(error, 1e-12))
