"""Channels to network planes and back."""

from typing import Any

import numpy as np
import pytest

from pixelmend.engine.backends.planes import from_planes, planes_per_tile, to_planes
from tests.imaging.samples import noise


@pytest.mark.parametrize(
    ("channels", "grey"), [(1, [True]), (2, [True, True]), (3, [False]), (4, [False, True])]
)
@pytest.mark.parametrize("bits", [8, 16])
def test_planes_come_back_as_the_channels_they_were(channels: int, grey: list[bool], bits: int) -> None:
    tile = noise(6, 7, channels, bits)
    planes, is_grey = to_planes(tile)
    assert planes.shape == (len(grey), 6, 7, 3)
    assert is_grey.tolist() == grey
    assert planes_per_tile(channels) == len(grey)
    np.testing.assert_array_equal(from_planes(tile, planes, 1), tile)


def test_alpha_settles_where_its_surroundings_are_solid() -> None:
    tile: Any = noise(6, 7, 4)
    tile[:, :, 3] = 255
    planes, _ = to_planes(tile)
    planes[1] = 253
    assert (from_planes(tile, planes, 1)[:, :, 3] == 255).all()
