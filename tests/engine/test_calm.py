"""Averaging over time: what stands still flickers less, what moves is as it was."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pixelmend.engine.calm import Calm
from tests.pictures import photo

FRAMES, SIDE = 12, 64


def sharpened(source: NDArray[Any]) -> NDArray[Any]:
    """Stands in for a network: twice as large, and it makes more of noise, as networks do."""
    values = source.astype(np.float64)
    blurred = sum(np.roll(values, shift, axis) for axis in (0, 1) for shift in (-1, 1)) / 4
    sharp = values + 1.0 * (values - blurred)
    most = np.iinfo(source.dtype).max
    return np.kron(sharp.clip(0, most).round(), np.ones((2, 2, 1))).astype(source.dtype)


def film(step_px: int, dtype: str, noise: float = 3.0) -> tuple[list[NDArray[Any]], NDArray[np.bool_]]:
    """A photograph over which a part of another moves, and which places of the result it never touches."""
    random = np.random.default_rng(1)
    ground = photo("coffee", side_px=SIDE, left=0, top=0).astype(np.float64)
    patch = photo("coffee", side_px=20, left=200, top=100).astype(np.float64)
    levels = np.iinfo(np.dtype(dtype)).max / 255
    frames = []
    for number in range(FRAMES):
        frame = ground.copy()
        frame[4:24, 2 + step_px * number : 22 + step_px * number] = patch
        noisy = frame + random.normal(0, noise, frame.shape)
        frames.append((noisy.clip(0, 255) * levels).round().astype(dtype))
    still = np.zeros((2 * SIDE, 2 * SIDE), bool)
    still[80:] = True
    return frames, still


def flicker(frames: list[NDArray[Any]], where: NDArray[np.bool_]) -> float:
    pairs = zip(frames[4:], frames[3:], strict=False)
    return float(np.mean([np.abs(a.astype(float) - b.astype(float))[where].mean() for a, b in pairs]))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_still_areas_flicker_less(dtype: str) -> None:
    sources, still = film(1, dtype)
    alone = [sharpened(source) for source in sources]
    calm = Calm(2)
    calmed = [calm(source, output) for source, output in zip(sources, alone, strict=True)]
    assert {each.dtype for each in calmed} == {np.dtype(dtype)}
    assert flicker(calmed, still) < 0.75 * flicker(alone, still)


@pytest.mark.parametrize("step_px", [1, 2, 3])
def test_what_moves_leaves_no_ghost(step_px: int) -> None:
    sources, _ = film(step_px, "uint8", noise=0.0)
    calm = Calm(2)
    for number, source in enumerate(sources):
        output = sharpened(source)
        calmed = calm(source, output)
        if number:
            left = 2 * (2 + step_px * number)
            # Where the part was a moment ago, and where it is now.
            here = np.s_[8:48, max(0, left - 4 * step_px) : left + 44]
            difference = np.abs(calmed[here].astype(float) - output[here].astype(float))
            assert difference.mean() < 2.0


def test_a_film_that_stands_still_stays_as_it_is() -> None:
    source = photo("coffee", side_px=SIDE, left=0, top=0)
    calm = Calm(2)
    results = [calm(source, sharpened(source)) for _ in range(3)]
    for result in results:
        assert np.array_equal(result, sharpened(source))


def test_a_fade_is_followed_at_once() -> None:
    source = photo("coffee", side_px=SIDE, left=0, top=0).astype(float)
    calm = Calm(2)
    for number in range(10):
        faded = (source * (1 - 0.02 * number)).round().astype(np.uint8)
        output = sharpened(faded)
        calmed = calm(faded, output)
        assert abs(float(calmed.mean()) - float(output.mean())) < 0.5
