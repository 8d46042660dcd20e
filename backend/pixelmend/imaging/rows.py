"""The one check that every writer makes of the rows that it is given."""

from typing import Any

import numpy as np

from pixelmend.core.geometry import Size
from pixelmend.imaging.vips import Pixels


def require_fitting(rows: Pixels, size: Size, channels: int, dtype: np.dtype[Any], before: int) -> None:
    """Raise ValueError unless `rows` are (h, size.width, channels) of `dtype` and there is room for them.

    before: rows that the image has already.
    """
    if rows.ndim != 3 or rows.shape[1:] != (size.width, channels) or rows.dtype != dtype:
        raise ValueError(
            f"expected rows (h, {size.width}, {channels}) of {dtype}, got {rows.shape} of {rows.dtype}"
        )
    if before + len(rows) > size.height:
        raise ValueError(f"row {before + len(rows)} exceeds the height of {size.height}")
