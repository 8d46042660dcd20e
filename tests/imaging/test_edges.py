import numpy as np
import pytest

from pixelmend.imaging.canvas import Pixels
from pixelmend.imaging.edges import WithoutMargin, mirror_edges
from pixelmend.imaging.geometry import Size


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 20, 1), (20, 3, 4), (30, 40, 2)])
def test_mirrored_image_holds_the_image_and_continues_it(shape: tuple[int, int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    padded = mirror_edges(pixels, 8)
    assert padded.shape == (shape[0] + 16, shape[1] + 16, shape[2])
    assert np.array_equal(padded[8:-8, 8:-8], pixels)
    assert np.array_equal(padded[7, 8:-8], pixels[0])
    assert np.array_equal(padded[8:-8, -8], pixels[:, -1])


@pytest.mark.parametrize("step", [1, 7, 8, 9, 100])
def test_margin_is_cut_off_whatever_the_rows_come_in(step: int) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (30, 20, 3), np.uint8)
    padded = mirror_edges(pixels, 8)
    got: list[Pixels] = []
    write = WithoutMargin(got.append, Size(20, 30), 8)
    for top in range(0, len(padded), step):
        write(padded[top : top + step])
    assert np.array_equal(np.concatenate(got), pixels)
