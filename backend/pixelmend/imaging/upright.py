"""Turning decoded pixels upright, by the orientation that the header names."""

from dataclasses import replace

import numpy as np

from pixelmend.core.errors import CorruptImage
from pixelmend.imaging.formats.record import FileContents, ImageInfo
from pixelmend.imaging.vips import PixelDtype, Pixels


def turned(stored: FileContents, info: ImageInfo) -> FileContents:
    """The same with upright pixels. Raises CorruptImage if the size is not the one of the header."""
    height, width, channels = stored.pixels.shape
    check_stored_size(info, width, height)
    pixels, view = upright_canvas(info, channels, stored.pixels.dtype)
    view[:] = stored.pixels
    return replace(stored, pixels=pixels)


def check_stored_size(info: ImageInfo, width: int, height: int) -> None:
    """Raises CorruptImage."""
    if (width, height) != (info.size.width, info.size.height):
        raise CorruptImage(f"the header says {info.size} px, the data {width}x{height} px")


def upright_canvas(info: ImageInfo, channels: int, dtype: PixelDtype) -> tuple[Pixels, Pixels]:
    """An empty upright array, and a view of it in which indices are those of the stored image."""
    size = info.oriented_size
    pixels = np.empty((size.height, size.width, channels), dtype)
    rows_reversed = info.orientation in (3, 4, 7, 8)
    columns_reversed = info.orientation in (2, 3, 6, 7)
    view = pixels[:: -1 if rows_reversed else 1, :: -1 if columns_reversed else 1]
    return pixels, view.transpose(1, 0, 2) if info.orientation >= 5 else view
