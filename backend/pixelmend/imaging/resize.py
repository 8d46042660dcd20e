"""Resizing to an exact size with libvips."""

from collections.abc import Iterator

import numpy as np
import pyvips

from pixelmend.imaging.geometry import Size
from pixelmend.imaging.vips import Pixels, pixel_dtype

_CHUNK_BYTES = 16 << 20


def resize(image: pyvips.Image, size: Size) -> pyvips.Image:
    """Resize to exactly `size` px: Lanczos, antialiased when shrinking; format and channels stay.

    Alpha is straight before and after, but colour is weighted with it in between: otherwise the colour
    of invisible pixels would bleed into visible ones.
    """
    if (image.width, image.height) == (size.width, size.height):
        return image
    limit = 65_535 if image.format == "ushort" else 255
    working = image.premultiply(max_alpha=limit) if image.hasalpha() else image
    working = working.resize(size.width / image.width, vscale=size.height / image.height, kernel="lanczos3")
    # rounding in libvips may leave it a pixel off for extreme ratios
    if (working.width, working.height) != (size.width, size.height):
        working = working.gravity("centre", size.width, size.height, extend="copy")
    if image.hasalpha():
        working = working.unpremultiply(max_alpha=limit).rint()
    return working.cast(image.format).copy(interpretation=image.interpretation)


def chunked_rows(image: pyvips.Image) -> Iterator[Pixels]:
    """The image's rows as arrays (h, W, C), each chunk computed by libvips' thread pool.

    Unlike `vips.row_bands` it needs random access to the source.
    """
    dtype = pixel_dtype(image)
    rows = max(16, _CHUNK_BYTES // (image.width * image.bands * dtype.itemsize))
    for top in range(0, image.height, rows):
        height = min(rows, image.height - top)
        data = image.crop(0, top, image.width, height).write_to_memory()
        chunk: Pixels = np.frombuffer(data, dtype)  # type: ignore[assignment]
        yield chunk.reshape(height, image.width, image.bands)
