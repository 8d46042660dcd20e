"""The compact network in numpy, which what others compute is compared with."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pixelmend.engine.backends import reference
from pixelmend.engine.weights.compact import CompactNetwork
from tests.engine.networks import compact_state, embedded_model, model_from
from tests.imaging.samples import noise


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
@pytest.mark.parametrize("bits", [8, 16])
def test_it_computes_what_pytorch_does(tmp_path: Path, scale: int, bits: int) -> None:
    network = model_from(compact_state(hidden=3, scale=scale), tmp_path).architecture.network
    assert isinstance(network, CompactNetwork)
    tiles = np.stack([noise(9, 13, 3, bits, seed=i) for i in range(2)])
    top = np.iinfo(tiles.dtype).max
    with torch.inference_mode():
        unit = torch.from_numpy(tiles.astype(np.float64) / top).permute(0, 3, 1, 2)
        expected = network.module().double()(unit).clamp(0, 1).permute(0, 2, 3, 1).numpy() * top
    np.testing.assert_allclose(reference.compute(network, tiles), expected, rtol=0, atol=1e-5 * top)


def test_values_that_are_not_finite_stay_so() -> None:
    network = embedded_model().architecture.network
    assert isinstance(network, CompactNetwork)
    network.layers[-1].bias[:] = np.nan
    assert np.isnan(reference.compute(network, noise(8, 8, 3)[None])).all()
