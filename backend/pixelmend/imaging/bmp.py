"""Decoding BMP: uncompressed pixels of any depth and any colour masks; runs through Pillow."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL.BmpImagePlugin import BmpImageFile

from pixelmend.core.errors import CorruptImage
from pixelmend.core.geometry import Size
from pixelmend.imaging.direct import library_errors
from pixelmend.imaging.formats.record import FileContents, ImageInfo
from pixelmend.imaging.headers import bmp
from pixelmend.imaging.headers.bmp import BmpDetails
from pixelmend.imaging.vips import Pixels


def decode_bmp(path: Path, data: bytes, info: ImageInfo, details: BmpDetails) -> FileContents:
    """Pixels as stored, top row first. Raises CorruptImage."""
    size = info.size
    profile = data[details.profile[0] : details.profile[1]] if details.profile else None
    if details.compression in (bmp.RLE4, bmp.RLE8):
        return FileContents(_runs(path, details, info.grey), icc=profile)
    rows = _rows(data, details, size)
    if details.masks is not None:
        pixels = _masked(rows, details, size.width, 16 if info.bits == 16 else 8)
    elif details.bits_per_pixel == 24:
        pixels = rows[:, : 3 * size.width].reshape(size.height, size.width, 3)[:, :, ::-1]  # blue is first
    else:
        pixels = _coloured(_indices(rows, details, size.width), details, info.grey)
    return FileContents(pixels, icc=profile)


def _rows(data: bytes, header: BmpDetails, size: Size) -> NDArray[np.uint8]:
    """The stored rows, top first, with their padding: (H, bytes)."""
    row_bytes = (size.width * header.bits_per_pixel + 31) // 32 * 4
    wanted = row_bytes * size.height
    raw = data[header.pixels_at : header.pixels_at + wanted]
    # Some writers leave out the last row's padding.
    if len(raw) < wanted - 3:
        raise CorruptImage(f"the BMP has {len(raw)} of {wanted} bytes of pixels")
    rows = np.frombuffer(raw.ljust(wanted, b"\0"), np.uint8).reshape(size.height, row_bytes)
    return rows if header.top_down else rows[::-1]


def _indices(rows: NDArray[np.uint8], header: BmpDetails, width: int) -> NDArray[np.uint8]:
    """Palette indices (H, W) from 1, 2, 4 or 8 bits a pixel, the leftmost pixel in the highest bits."""
    depth = header.bits_per_pixel
    shifts = np.arange(8 - depth, -1, -depth, dtype=np.uint8)
    values = (rows[:, :, np.newaxis] >> shifts) & np.uint8((1 << depth) - 1)
    indices: NDArray[np.uint8] = values.reshape(len(rows), -1)[:, :width]
    return indices


def _coloured(indices: NDArray[np.uint8], header: BmpDetails, grey: bool) -> Pixels:
    """(H, W, 1) if the palette is grey, else (H, W, 3). Indices beyond the palette are black."""
    palette = np.zeros((256, 3), np.uint8)
    colours = np.frombuffer(header.palette, np.uint8).reshape(-1, 3)[:, ::-1]
    palette[: len(colours)] = colours
    return palette[indices][:, :, :1] if grey else palette[indices]


def _runs(path: Path, header: BmpDetails, grey: bool) -> Pixels:
    with library_errors("bmp"), BmpImageFile(path) as image:
        if image.mode not in ("P", "L"):
            raise CorruptImage(f"the BMP's run lengths give {image.mode} pixels")
        # The indices themselves, because Pillow reads some grey palettes as plain brightness.
        return _coloured(np.asarray(image), header, grey)


def _masked(rows: NDArray[np.uint8], header: BmpDetails, width: int, bits: int) -> Pixels:
    """Pixels of 16 or 32 bits, each channel spread over the whole range: (H, W, 3 or 4)."""
    assert header.masks is not None
    stored = np.dtype("<u2") if header.bits_per_pixel == 16 else np.dtype("<u4")
    values = np.ascontiguousarray(rows).view(stored)[:, :width].astype(np.uint32)
    top = 65_535 if bits == 16 else 255
    channels = [_channel(values, mask, top) for mask in header.masks if mask]
    stacked = np.stack(channels, axis=2)
    return stacked.astype(np.uint16) if top > 255 else stacked.astype(np.uint8)


def _channel(values: NDArray[np.uint32], mask: int, top: int) -> NDArray[np.uint64]:
    """The bits under the mask, spread over 0..top and rounded: (H, W)."""
    shift, largest = (mask & -mask).bit_length() - 1, (1 << mask.bit_count()) - 1
    bits = ((values & np.uint32(mask)) >> np.uint32(shift)).astype(np.uint64)
    return (bits * np.uint64(top) + np.uint64(largest // 2)) // np.uint64(largest)
