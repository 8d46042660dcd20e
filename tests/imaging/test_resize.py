"""Resizing keeps a picture where it is; Pillow is held to be right."""

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from PIL import Image

from pixelmend.core.geometry import Size
from pixelmend.imaging.resize import resize
from tests.pictures import photo, psnr_db


def resized(pixels: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    height, width, bands = pixels.shape
    image = pyvips.Image.new_from_memory(pixels.tobytes(), width, height, bands, "uchar")
    made = resize(image, size)
    assert (made.width, made.height, made.bands) == (size.width, size.height, bands)
    flat: NDArray[np.uint8] = np.frombuffer(made.write_to_memory(), np.uint8)
    return flat.reshape(size.height, size.width, bands)


@pytest.mark.parametrize("size", [Size(115, 115), Size(144, 120), Size(192, 317), Size(97, 96)], ids=str)
def test_growing_is_as_pillows_bicubic(size: Size) -> None:
    pixels = photo("coffee", side_px=96)
    expected = Image.fromarray(pixels).resize((size.width, size.height), Image.Resampling.BICUBIC)
    inner = np.s_[4:-4, 4:-4]
    # libvips interpolates with kernels at 64 places between two pixels, hence not exactly.
    assert psnr_db(resized(pixels, size)[inner], np.asarray(expected)[inner]) > 50


@pytest.mark.parametrize("size", [Size(48, 48), Size(61, 90)], ids=str)
def test_shrunk_is_as_pillows_lanczos(size: Size) -> None:
    pixels = photo("coffee", side_px=96)
    expected = Image.fromarray(pixels).resize((size.width, size.height), Image.Resampling.LANCZOS)
    inner = np.s_[4:-4, 4:-4]
    assert psnr_db(resized(pixels, size)[inner], np.asarray(expected)[inner]) > 38


def test_one_axis_may_grow_while_the_other_shrinks() -> None:
    pixels = photo("coffee", side_px=96)
    made = resized(pixels, Size(150, 50))
    wide = Image.fromarray(pixels).resize((96, 50), Image.Resampling.LANCZOS)
    expected = wide.resize((150, 50), Image.Resampling.BICUBIC)
    inner = np.s_[4:-4, 4:-4]
    assert psnr_db(made[inner], np.asarray(expected)[inner]) > 38


def test_flat_and_edges_stay() -> None:
    pixels = np.full((40, 40, 3), (255, 0, 128), np.uint8)
    assert (resized(pixels, Size(61, 73)) == (255, 0, 128)).all()
    assert (resized(pixels, Size(20, 73)) == (255, 0, 128)).all()
