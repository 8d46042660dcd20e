"""The patch stream: pairs fit, and batches depend on seed and step alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.data import DataConfig, PatchStream, cut_batch, make_pair
from training.degrade import DegradeConfig, reduce_image
from training.leaves import LeafConfig

SMALL = DataConfig(
    leaves=LeafConfig(size=96, fewest=20, most=40, texture_size=32),
    batch=3,
    patch=16,
    pool=2,
    refresh=2,
    workers=0,
)


def test_low_patches_are_reductions_of_the_high_ones() -> None:
    pair = make_pair(0, 0, SMALL)
    low, high = cut_batch(np.random.default_rng(1), [pair], SMALL)
    assert low.shape == (3, 16, 16, 3)
    assert high.shape == (3, 64, 64, 3)
    inner = slice(3, -3)  # nearer to the border the reduction saw what the patch no longer holds
    for small, large in zip(low, high, strict=True):
        again = reduce_image(np.ascontiguousarray(large), 4)
        difference = again[inner, inner].astype(int) - small[inner, inner]
        assert np.abs(difference).max() <= 1


def test_a_resumed_stream_goes_on_where_it_stopped() -> None:
    with PatchStream(7, SMALL) as stream:
        whole = [stream.batch() for _ in range(7)]
    with PatchStream(7, SMALL, first_step=5) as stream:
        resumed = [stream.batch() for _ in range(2)]
    for (low, high), (low_again, high_again) in zip(whole[5:], resumed, strict=True):
        assert np.array_equal(low, low_again)
        assert np.array_equal(high, high_again)


def test_versions_of_a_picture_share_its_high_patches() -> None:
    config = replace(SMALL, degrading=DegradeConfig(), versions=3)
    plain, degraded = make_pair(0, 0, SMALL), make_pair(0, 0, config)
    assert np.array_equal(plain.high, degraded.high)
    assert len(degraded.lows) == 3
    assert {low.shape for low in degraded.lows} == {plain.lows[0].shape}
    assert not np.array_equal(degraded.lows[0], degraded.lows[1])
    chosen = [cut_batch(np.random.default_rng(i), [degraded], replace(config, patch=24))[0] for i in range(9)]
    flat = {patch.tobytes() for batch in chosen for patch in batch}
    assert len(flat) > 8  # one version can be turned and mirrored in eight ways


def test_worker_processes_change_nothing() -> None:
    with PatchStream(7, SMALL) as alone, PatchStream(7, replace(SMALL, workers=1)) as helped:
        for _ in range(4):
            assert np.array_equal(alone.batch()[1], helped.batch()[1])


def test_the_pool_moves_on() -> None:
    with PatchStream(7, SMALL) as stream:
        batches = [stream.batch()[0] for _ in range(6)]
    assert not np.array_equal(batches[0], batches[5])
