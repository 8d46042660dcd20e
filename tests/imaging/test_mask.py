"""Masks: what is removed, how a hole grows, and weights that leave the rest alone."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pixelmend.core.errors import InvalidParameter
from pixelmend.core.geometry import Size
from pixelmend.imaging.mask import feather, grow, hole_from_mask
from pixelmend.imaging.mask_rules import MaskPolarity

masks = st.builds(
    lambda height, width, share, seed: np.random.default_rng(seed).random((height, width)) < share,
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([0.0, 0.01, 0.1, 0.9]),
    st.integers(0, 99),
)


def distances(hole: NDArray[np.bool_]) -> NDArray[np.float64]:
    """By comparing all pairs."""
    set_pixels = np.argwhere(hole)
    if not len(set_pixels):
        return np.full(hole.shape, np.inf)
    places = np.argwhere(np.ones_like(hole))
    pairs = np.hypot(*(places[:, None] - set_pixels).transpose(2, 0, 1))
    nearest: NDArray[np.float64] = pairs.min(axis=1).reshape(hole.shape)
    return nearest


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_white_is_removed_from_128_on(kind: Any, channels: int) -> None:
    step = np.iinfo(kind).max // 255
    greys = np.array([0, 1, 127, 128, 254, 255], np.int64) * step
    mask = np.repeat(greys.astype(kind)[None, :, None], channels, axis=2)
    hole = hole_from_mask(mask, Size(6, 1))
    assert hole.pixels.tolist() == [[False, False, False, True, True, True]]
    assert not hole.is_empty


@pytest.mark.parametrize("channels", [2, 4])
def test_what_is_transparent_is_removed_whatever_its_colour(channels: int) -> None:
    mask = np.full((2, 3, channels), 255, np.uint8)
    mask[0, :, -1] = (0, 127, 128)
    assert hole_from_mask(mask, Size(3, 2)).pixels.tolist() == [[True, True, False], [False] * 3]


def test_an_opaque_mask_with_alpha_counts_by_its_colour() -> None:
    mask = np.full((1, 2, 4), 255, np.uint8)
    mask[0, 0, :3] = 0
    assert hole_from_mask(mask, Size(2, 1)).pixels.tolist() == [[False, True]]


@pytest.mark.parametrize("alpha", [254, 128])
def test_a_pixel_that_is_nearly_opaque_makes_no_mask_of_transparency(alpha: int) -> None:
    mask = np.zeros((1, 4, 4), np.uint8)
    mask[:, :, 3] = 255
    mask[0, 0] = (0, 0, 0, alpha)
    mask[0, 2, :3] = 255
    assert hole_from_mask(mask, Size(4, 1)).pixels.tolist() == [[False, False, True, False]]


@pytest.mark.parametrize(
    "mask",
    [
        np.array([[[0], [1], [1], [0]]], np.uint8),
        np.array([[[0], [255], [255], [0]]], np.uint16),
        np.array([[[0, 0, 0], [255, 0, 0], [255, 0, 0], [0, 0, 0]]], np.uint8),
        np.array([[[2, 2, 2], [0, 0, 90], [0, 0, 255], [0, 0, 0]]], np.uint8),
    ],
)
def test_a_dark_mask_is_stretched_and_says_so(mask: NDArray[Any]) -> None:
    hole = hole_from_mask(mask, Size(4, 1))
    assert hole.pixels[0, 2]
    assert not hole.pixels[0, 3]
    assert "stretched" in hole.notes[0]


@pytest.mark.parametrize("value", [0, 1, 100])
def test_a_mask_of_one_dark_value_removes_nothing(value: int) -> None:
    hole = hole_from_mask(np.full((2, 2, 1), value, np.uint8), Size(2, 2))
    assert hole.is_empty
    assert hole.notes == ()


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (200, 30, 30)])
@pytest.mark.parametrize("channels", [2, 4])
def test_a_stroke_on_an_empty_canvas_is_what_is_removed(channels: int, colour: tuple[int, int, int]) -> None:
    mask = np.zeros((3, 4, channels), np.uint8)
    mask[1, 1:3] = (*colour[: channels - 1], 255)
    mask[1, 3] = (*colour[: channels - 1], 60)  # a soft edge
    hole = hole_from_mask(mask, Size(4, 3))
    assert np.argwhere(hole.pixels).tolist() == [[1, 1], [1, 2]]
    assert "stroke" in hole.notes[0]
    other = hole_from_mask(mask, Size(4, 3), MaskPolarity.TRANSPARENT)
    assert np.array_equal(other.pixels, ~hole.pixels)


def test_a_picture_with_a_transparent_part_is_no_stroke() -> None:
    mask = np.zeros((2, 4, 4), np.uint8)
    mask[0, :3] = [(10, 200, 30, 255), (90, 20, 220, 255), (0, 0, 0, 255)]
    assert np.array_equal(hole_from_mask(mask, Size(4, 2)).pixels, mask[:, :, 3] == 0)


def test_the_polarity_can_be_chosen() -> None:
    mask = np.array([[[255, 255], [0, 255], [255, 0], [0, 0]]], np.uint8)
    expected = {
        "white": [1, 0, 0, 0],
        "opaque": [1, 1, 0, 0],
        "transparent": [0, 0, 1, 1],
        "auto": [0, 0, 1, 1],
    }
    for name, removed in expected.items():
        found = hole_from_mask(mask, Size(4, 1), MaskPolarity(name)).pixels
        assert found.astype(int).tolist() == [removed], name
    with pytest.raises(InvalidParameter, match="mask_polarity=opaque"):
        hole_from_mask(mask[:, :, :1], Size(4, 1), MaskPolarity.OPAQUE)


def test_black_is_empty_and_white_is_not() -> None:
    assert hole_from_mask(np.zeros((4, 4, 1), np.uint8), Size(4, 4)).is_empty
    assert not hole_from_mask(np.full((4, 4, 1), 255, np.uint8), Size(4, 4)).is_empty


def test_a_mask_drawn_at_half_size_is_doubled() -> None:
    mask = np.zeros((3, 4, 1), np.uint8)
    mask[1, 2] = 255
    pixels = hole_from_mask(mask, Size(8, 6)).pixels
    assert np.argwhere(pixels).tolist() == [[2, 4], [2, 5], [3, 4], [3, 5]]


def test_a_thin_stroke_survives_scaling_down() -> None:
    mask = np.zeros((1000, 1000, 1), np.uint8)
    mask[:, 501] = 255
    pixels = hole_from_mask(mask, Size(90, 90)).pixels
    assert pixels.any(axis=1).all()
    assert pixels.sum() == 90


@pytest.mark.parametrize(("width", "height"), [(400, 300), (401, 300), (333, 250), (1, 1000)])
def test_a_rounded_side_is_no_other_shape(width: int, height: int) -> None:
    mask = np.zeros((max(1, round(height / 3)), max(1, round(width / 3)), 1), np.uint8)
    assert hole_from_mask(mask, Size(width, height)).pixels.shape == (height, width)


def test_another_shape_is_refused_with_both_sizes() -> None:
    with pytest.raises(InvalidParameter, match=r"100x50 px .* 100x100"):
        hole_from_mask(np.zeros((50, 100, 1), np.uint8), Size(100, 100))


@pytest.mark.parametrize("mask", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 1), np.float32)])
def test_what_is_no_mask_is_refused(mask: NDArray[Any]) -> None:
    with pytest.raises(InvalidParameter, match="cannot be read"):
        hole_from_mask(mask, Size(4, 4))


@settings(max_examples=100, deadline=None)
@given(masks, st.integers(0, 12))
def test_growing_is_by_euclidean_distance(hole: NDArray[np.bool_], radius_px: int) -> None:
    np.testing.assert_array_equal(grow(hole, radius_px), distances(hole) <= radius_px)


@settings(max_examples=100, deadline=None)
@given(masks, st.integers(0, 12))
def test_weights_are_one_in_the_hole_and_nothing_outside_the_grown_one(
    hole: NDArray[np.bool_], radius_px: int
) -> None:
    weights = feather(hole, radius_px)
    assert weights.dtype == np.float32
    assert (weights[hole] == 1).all()
    np.testing.assert_array_equal(weights > 0, grow(hole, radius_px))
    fading = (weights > 0) & ~hole
    expected = 1 - distances(hole)[fading] / (radius_px + 1)
    np.testing.assert_allclose(weights[fading], expected, atol=1e-6)


@pytest.mark.parametrize("change", [grow, feather])
def test_a_negative_radius_is_refused(change: Any) -> None:
    with pytest.raises(InvalidParameter, match="-1 px"):
        change(np.ones((2, 2), bool), -1)
