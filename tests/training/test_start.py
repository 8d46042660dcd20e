"""The network starts as bicubic interpolation, exactly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from pixelmend.engine.backends.compact import Compact, from_state
from pixelmend.engine.weights.compact import NetworkConfig, config_of
from training.start import bicubic_taps, cubic_kernel, start_as_bicubic, start_from


@pytest.mark.parametrize("config", [NetworkConfig(), NetworkConfig(16, 1), NetworkConfig(12, 3, scale=2)])
def test_starts_as_bicubic(config: NetworkConfig) -> None:
    network = Compact(config).eval()
    start_as_bicubic(network, torch.Generator().manual_seed(0))
    low = torch.rand(2, 3, 24, 20, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        output = network(low)
    # torch uses a = -0.5 only if it antialiases, which changes nothing when upscaling
    expected = functional.interpolate(low, scale_factor=config.scale, mode="bicubic", antialias=True)
    edge = 2 * config.scale
    inner = (..., slice(edge, -edge), slice(edge, -edge))
    assert output.shape == expected.shape
    torch.testing.assert_close(output[inner], expected[inner], atol=1e-5, rtol=0.0)


def test_other_channels_neither_die_nor_explode() -> None:
    network = Compact(NetworkConfig())
    start_as_bicubic(network, torch.Generator().manual_seed(0))
    signal = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    for layer in network.eval().requires_grad_(False).body[:-1]:
        signal = layer(signal)
    spread = float(signal[:, 12:].std())
    assert 0.05 < spread < 1.0


def test_a_smaller_scale_starts_as_the_mean_of_the_larger_ones_pixels() -> None:
    trained = Compact(NetworkConfig(12, 2, scale=4)).eval()
    low = torch.rand(1, 3, 9, 7, generator=torch.Generator().manual_seed(1))
    half, same = Compact(NetworkConfig(12, 2, scale=2)).eval(), Compact(NetworkConfig(12, 2)).eval()
    for network in (half, same):
        start_from(network, {name: tensor.double() for name, tensor in trained.state_dict().items()})
    with torch.inference_mode():
        torch.testing.assert_close(half(low), functional.avg_pool2d(trained(low), 2))
        torch.testing.assert_close(same(low), trained(low))


@pytest.mark.parametrize(
    "config", [NetworkConfig(12, 3), NetworkConfig(16, 2), NetworkConfig(12, 2, 3), NetworkConfig(12, 2, 8)]
)
def test_a_start_of_another_shape_is_refused(config: NetworkConfig) -> None:
    with pytest.raises(ValueError, match="cannot start from"):
        start_from(Compact(config), Compact(NetworkConfig(12, 2)).state_dict())


def test_kernel_and_taps() -> None:
    assert cubic_kernel(np.array([0.0, 1.0, -1.0, 2.0, 0.5])) == pytest.approx([1.0, 0.0, 0.0, 0.0, 0.5625])
    taps = bicubic_taps(4)
    assert taps.shape == (4, 5)
    assert taps.sum(axis=1) == pytest.approx(np.ones(4))
    assert taps == pytest.approx(taps[::-1, ::-1])


@pytest.mark.parametrize("config", [NetworkConfig(), NetworkConfig(8, 12, 2)])
def test_a_state_tells_its_configuration(config: NetworkConfig) -> None:
    state = Compact(config).state_dict()
    unordered = {name: state[name].half() for name in sorted(state)}
    assert config_of(unordered) == config
    assert from_state(unordered).config == config
