"""The patch stream: pairs fit, and batches depend on seed and step alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training import attribution
from training.data import DataConfig, Pair, PatchStream, cut_batch, make_high, make_pair
from training.degrade import DegradeConfig
from training.leaves import LeafConfig
from training.photographs import read_manifest
from training.reduction import reduce_image, reduction_matrix

pytestmark = pytest.mark.full

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


def test_the_most_detailed_of_the_candidates_is_cut() -> None:
    grain = np.random.default_rng(0).integers(0, 256, (64, 24, 3), np.uint8)
    low = np.concatenate((np.full((64, 72, 3), 128, np.uint8), grain), axis=1)  # three quarters are flat
    pair = Pair(low.repeat(4, 0).repeat(4, 1), (low,))
    shares = []
    for candidates in (1, 8):
        config = replace(SMALL, batch=60, candidates=candidates)
        lows, highs = cut_batch(np.random.default_rng(3), [pair], config)
        assert np.array_equal(lows.repeat(4, 1).repeat(4, 2), highs)
        shares.append(np.mean([patch.std() > 0.0 for patch in lows]))
    assert shares[0] < 0.6
    assert shares[1] > 0.95


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


def write_folder(folder: Path, manifest: str) -> None:
    (folder / "MANIFEST.csv").write_text(manifest)
    pixels = np.random.default_rng(0).integers(0, 256, (98, 101, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "one.png")


def test_photographs_are_mixed_with_drawn_pictures(tmp_path: Path) -> None:
    write_folder(
        tmp_path, "file,width,licence,credit,repository\none.png,101,CC BY 4.0,A. Photographer,a/b\n"
    )
    photographs = read_manifest(tmp_path)
    assert photographs[0].credit == "A. Photographer"
    config = replace(SMALL, photographs=photographs, drawn=0.5)
    shapes = [make_high(np.random.default_rng(i), config).shape for i in range(40)]
    assert set(shapes) == {(96, 96, 3), (96, 100, 3)}  # drawn; cut to multiples of 4
    assert 10 < shapes.count((96, 100, 3)) < 30
    pair = make_pair(0, 0, replace(config, drawn=0.0))
    assert np.array_equal(pair.high, photographs[0].read()[:96, :100])
    assert pair.lows[0].shape == (24, 25, 3)


@pytest.mark.parametrize(
    ("manifest", "named"),
    [
        ("file,licence\none.png,CC0\n", "credit, repository"),
        ("file,licence,credit,repository\n", "names no photograph"),
        ("file,licence,credit,repository\ntwo.png,CC0,,\n", "two.png"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_refused(tmp_path: Path, manifest: str, named: str) -> None:
    write_folder(tmp_path, manifest)
    with pytest.raises(ValueError, match=named):
        read_manifest(tmp_path)


def test_reduction_equals_its_definition() -> None:
    """imresize by 4: 16 weights of Keys' kernel at quarter steps, the border's samples mirrored."""
    x = (np.arange(16) - 7.5) / 4.0
    near, far = (
        1.5 * np.abs(x) ** 3 - 2.5 * x**2 + 1.0,
        -0.5 * np.abs(x) ** 3 + 2.5 * x**2 - 4.0 * np.abs(x) + 2.0,
    )
    weights = np.where(np.abs(x) <= 1.0, near, far)
    weights /= weights.sum()
    matrix = reduction_matrix(32, 4)
    assert np.allclose(matrix[3, 6:22], weights, atol=1e-6)
    assert np.allclose(matrix.sum(axis=1), 1.0, atol=1e-6)
    assert np.allclose(matrix[0, :6], weights[6:12] + weights[5::-1], atol=1e-6)
    assert np.allclose(matrix[0, :10].sum(), 1.0, atol=1e-6)


def test_credits_name_everybody_once(tmp_path: Path) -> None:
    lines = [
        "file,licence,credit,repository",
        "one.png,CC0,A,x/y",
        'one.png,CC0,"A",x/y',
        "one.png,CC BY 2.0,B,x/z",
    ]
    write_folder(tmp_path, "\n".join(lines) + "\n")
    written = tmp_path / "credits.csv"
    attribution.main([str(tmp_path), str(written)])
    assert written.read_text().splitlines() == [
        "crops,licence,credit,source",
        "2,CC0,A,x/y",
        "1,CC BY 2.0,B,x/z",
    ]
