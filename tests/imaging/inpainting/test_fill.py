"""Filling holes: exact outside, repeatable, and what must come out where it is known."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from threadpoolctl import threadpool_info, threadpool_limits

from pixelmend.core.errors import Cancelled, InvalidParameter
from pixelmend.imaging.inpainting.fill import fill
from pixelmend.imaging.mask import grow
from tests.imaging.samples import noise
from tests.pictures import photo

ROOT = Path(__file__).parents[3]
Pixels = NDArray[Any]
Mask = NDArray[np.bool_]


def box(height: int, width: int, top: int, left: int, bottom: int, right: int) -> Mask:
    hole = np.zeros((height, width), bool)
    hole[top:bottom, left:right] = True
    return hole


def stripes(side: int, period_px: int) -> NDArray[np.uint8]:
    """Slanted, in two colours."""
    y, x = np.mgrid[0:side, 0:side]
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * (x + 0.5 * y) / period_px)
    colours = np.array([60, 90, 40]) + wave[:, :, None] * np.array([140, 100, 120])
    pixels: NDArray[np.uint8] = np.rint(colours).astype(np.uint8)
    return pixels


def steepness(pixels: Pixels, hole: Mask) -> float:
    """Mean gradient magnitude in the hole."""
    down, right = np.gradient(pixels.astype(np.float64).mean(axis=2))
    return float(np.hypot(down, right)[hole].mean())


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([1, 3]),
    st.sampled_from([np.uint8, np.uint16, np.float32]),
    st.sampled_from([0.02, 0.5, 0.97]),
    st.integers(0, 99),
)
def test_any_hole_is_filled_and_the_rest_is_untouched(
    height: int, width: int, channels: int, kind: Any, share: float, seed: int
) -> None:
    pixels: Pixels = noise(height, width, channels, 16 if kind == np.uint16 else 8, seed)
    if kind == np.float32:
        pixels = pixels.astype(np.float32) / 255
    hole = np.random.default_rng(seed).random((height, width)) < share
    hole[height // 2, width // 2] = False
    before = pixels.copy()
    filled = fill(pixels, hole)
    assert filled.dtype == pixels.dtype
    np.testing.assert_array_equal(pixels, before)
    np.testing.assert_array_equal(filled[~hole], pixels[~hole])
    known = pixels[~hole]
    tolerance = 1e-6 if kind == np.float32 else 0
    assert (filled >= known.min(axis=0) - tolerance).all()
    assert (filled <= known.max(axis=0) + tolerance).all()


def test_what_was_in_the_hole_has_no_influence() -> None:
    pixels = stripes(96, 11)
    hole = box(96, 96, 30, 30, 60, 70)
    other = pixels.copy()
    other[hole] = noise(96, 96, 3)[hole]
    np.testing.assert_array_equal(fill(pixels, hole), fill(other, hole))


def test_the_same_seed_gives_the_same_picture() -> None:
    pixels, hole = noise(60, 70, 3), box(60, 70, 20, 0, 40, 30)
    first = fill(pixels, hole)
    np.testing.assert_array_equal(first, fill(pixels, hole, seed=0))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_flat_colour_stays_exactly_flat(kind: Any, channels: int) -> None:
    top = 1 if kind == np.float32 else np.iinfo(kind).max
    colour = np.array([0.71, 0.2, 0.43])[:channels] * top
    pixels = np.broadcast_to(colour, (60, 70, channels)).astype(kind)
    filled = fill(pixels, box(60, 70, 20, 20, 45, 50))
    if kind == np.float32:
        np.testing.assert_allclose(filled, pixels, rtol=1e-6)
    else:
        np.testing.assert_array_equal(filled, pixels)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_ramp_goes_on(kind: Any) -> None:
    top = np.iinfo(kind).max
    y, x = np.mgrid[0:120, 0:120]
    ramp = (0.1 + 0.8 * (0.7 * x + 0.3 * y) / 120) * top
    pixels = np.rint(ramp).astype(kind)[:, :, None]
    filled = fill(pixels, box(120, 120, 40, 40, 80, 80))
    error = np.abs(filled.astype(np.float64) - pixels) / top
    assert error.max() < 0.04
    assert error.mean() < 0.002


def test_sixteen_bits_are_not_eight() -> None:
    """A ramp of 300 levels within one 8-bit step."""
    x = np.broadcast_to(np.linspace(30_000, 30_300, 100), (100, 100))
    pixels = np.rint(x).astype(np.uint16)[:, :, None]
    hole = box(100, 100, 40, 40, 60, 60)
    filled = fill(pixels, hole)
    assert np.abs(filled.astype(int) - pixels)[hole].max() <= 40
    assert len(np.unique(filled[hole])) > 20


@pytest.mark.parametrize("period_px", [6, 10, 17])
def test_stripes_go_on_with_their_period(period_px: int) -> None:
    pixels = stripes(160, period_px)
    hole = box(160, 160, 55, 50, 105, 110)
    filled = fill(pixels, hole)
    assert 0.7 < steepness(filled, hole) / steepness(pixels, hole) < 1.3
    part = np.s_[55:105, 50:110]
    likeness = np.corrcoef(filled[part].ravel().astype(float), pixels[part].ravel().astype(float))[0, 1]
    assert likeness > 0.8


@pytest.mark.full
def test_a_hole_too_large_for_one_crop_is_filled_throughout() -> None:
    pixels = np.broadcast_to(np.array([200, 120, 40], np.uint8), (220, 160, 3)).copy()
    pixels[:, 70:90] = 20
    hole = box(220, 160, 10, 40, 210, 120)
    filled = fill(pixels, hole, largest_px=90)
    np.testing.assert_array_equal(filled[~hole], pixels[~hole])
    # the bar is darker where it goes on into the hole, and beside it there is no black or grey patch
    assert filled[12:16, 73:87].mean() < filled[12:16, 45:60].mean() - 30
    assert filled[hole][:, 0].mean() > 100


def test_nearly_everything_a_hole_takes_the_colour_that_is_left() -> None:
    pixels = np.zeros((70, 80, 3), np.uint8)
    hole = np.ones((70, 80), bool)
    hole[0, 0] = False
    pixels[0, 0] = (9, 200, 70)
    assert (fill(pixels, hole) == (9, 200, 70)).all()


def test_no_hole_changes_nothing() -> None:
    pixels = noise(20, 20, 3)
    filled = fill(pixels, np.zeros((20, 20), bool))
    np.testing.assert_array_equal(filled, pixels)
    assert filled is not pixels


@pytest.mark.parametrize(
    ("pixels", "hole", "message"),
    [
        (np.zeros((8, 8, 4), np.uint8), np.zeros((8, 8), bool), "1 or 3"),
        (np.zeros((8, 8), np.uint8), np.zeros((8, 8), bool), "1 or 3"),
        (np.zeros((8, 8, 3), np.float64), np.zeros((8, 8), bool), "float64"),
        (np.zeros((8, 8, 3), np.uint8), np.zeros((8, 9), bool), r"\(8, 9\)"),
        (np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8), "uint8 hole"),
        (np.zeros((8, 8, 3), np.uint8), np.ones((8, 8), bool), "all 64 pixels"),
    ],
)
def test_what_cannot_be_filled_is_refused(pixels: Pixels, hole: Any, message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        fill(pixels, hole)


def asked_often(times: int) -> Callable[[], bool]:
    answers = iter([False] * times + [True])
    return lambda: next(answers)


@pytest.mark.parametrize("times", [0, 3, 10])
def test_a_cancelled_filling_ends(times: int) -> None:
    with pytest.raises(Cancelled):
        fill(noise(90, 90, 3), box(90, 90, 20, 20, 70, 70), cancelled=asked_often(times))


def test_progress_counts_hole_pixels_up_to_all() -> None:
    hole = np.zeros((300, 600), bool)
    hole[100:104, 50:60] = hole[200, 500:507] = True
    told: list[tuple[int, int]] = []
    fill(noise(300, 600, 1), hole, on_progress=lambda done, total: told.append((done, total)))
    assert told == [(40, 47), (47, 47)]


def test_the_result_does_not_depend_on_what_is_far_away() -> None:
    pixels = noise(60, 300, 1)
    hole = box(60, 300, 20, 20, 35, 35)
    other = pixels.copy()
    other[:, 100:] = 0
    np.testing.assert_array_equal(fill(pixels, hole)[hole], fill(other, hole)[hole])


FILL_AND_PRINT_HASH = """
import hashlib
from pixelmend.imaging.inpainting.fill import fill
from tests.imaging.inpainting.test_fill import photo_with_hole

print(hashlib.sha256(fill(*photo_with_hole()).tobytes()).hexdigest())
"""


def photo_with_hole() -> tuple[NDArray[np.uint8], Mask]:
    """The hole is deep enough to be filled from patches."""
    return photo(side_px=90), grow(box(90, 90, 20, 20, 40, 50), 4)


@pytest.mark.full
@pytest.mark.parametrize("kernels", [None, "Haswell"])
def test_result_does_not_depend_on_the_threads_that_the_process_has(kernels: str | None) -> None:
    """OpenBLAS has kernels for each family of CPUs; those for AVX2 round as the threads divide the work."""
    chosen = {} if kernels is None else {"OPENBLAS_CORETYPE": kernels}
    paths = os.pathsep.join([str(ROOT / "backend"), str(ROOT)])

    def filled_with(threads: int) -> str:
        count = {"OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
        ran = subprocess.run(
            [sys.executable, "-c", FILL_AND_PRINT_HASH],
            env=os.environ | chosen | count | {"PYTHONPATH": paths},
            capture_output=True,
            text=True,
            check=True,
        )
        return ran.stdout

    assert len({filled_with(threads) for threads in (1, 2, 3)}) == 1


def test_threads_are_one_only_while_holes_are_filled() -> None:
    with threadpool_limits(2):
        pixels, hole = photo_with_hole()
        seen: set[int] = set()

        def look(done: int, total: int) -> None:
            seen.update(pool["num_threads"] for pool in blas_pools())

        with ThreadPoolExecutor(2) as threads:
            list(threads.map(lambda _: fill(pixels, hole, on_progress=look), range(2)))
        assert seen == {1}
        assert {pool["num_threads"] for pool in blas_pools()} == {2}


def blas_pools() -> list[Any]:
    """Numpy's own, not those of other libraries in this process."""
    return [pool for pool in threadpool_info() if "numpy" in pool["filepath"]]
