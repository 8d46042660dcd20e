"""Tiled output is the untiled output, bit for bit, if the overlap covers the receptive field."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pixelmend.core.geometry import Size
from pixelmend.engine.backends.ncnn_models import open_in_ncnn
from pixelmend.engine.backends.network import TileNetwork
from pixelmend.engine.backends.openvino import OpenVinoNetwork
from pixelmend.engine.backends.torch import TorchNetwork
from pixelmend.engine.devices.device import cpu_device
from pixelmend.engine.devices.precision import Precision
from pixelmend.engine.weights.architecture import LoadedModel
from pixelmend.imaging.canvas import Canvas
from pixelmend.imaging.tiling import plan_tiles
from tests.engine.networks import colour, named_model, photo


@cache
def network(name: str, precision: Precision, executor: str) -> tuple[LoadedModel, TileNetwork]:
    model = named_model(name)
    if executor == "PyTorch":
        return model, TorchNetwork(model, cpu_device(), precision)
    return model, OpenVinoNetwork(model, cpu_device(), precision, threads=2)


def tiled(net: TileNetwork, pixels: NDArray[np.uint8], tile_px: int, overlap_px: int) -> NDArray[Any]:
    size = Size(pixels.shape[1], pixels.shape[0])
    plan = plan_tiles(size, tile_px=tile_px, overlap_px=overlap_px)
    assert len(plan) > 1
    rows: list[NDArray[Any]] = []
    canvas = Canvas(plan, net.scale, 3, pixels.dtype, rows.append)
    for tile in plan:
        window = pixels[tile.window.as_slices()]
        canvas.put(tile, net.run(window[None], colour()).pixels[0])
    return np.concatenate(rows)


@pytest.mark.parametrize("executor", ["PyTorch", "OpenVINO"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", ["embedded", "official"])
def test_tiled_equals_untiled(name: str, precision: Precision, executor: str) -> None:
    model, net = network(name, precision, executor)
    pixels = photo("astronaut", 110, 120)
    untiled = net.run(pixels[None], colour()).pixels[0]
    assert model.architecture.receptive_field_px == model.overlap_px == 18
    assert model.blend_px == 0
    np.testing.assert_array_equal(tiled(net, pixels, 96, model.overlap_px), untiled)


@pytest.mark.parametrize("name", ["embedded", "official"])
def test_winograds_convolution_rounds_as_its_blocks_lie_and_no_more(name: str) -> None:
    """ncnn computes float32 in blocks, which lie otherwise in a tile: a value near a half may round so."""
    model = named_model(name)
    net = open_in_ncnn(model, cpu_device(), "float32", threads=2)
    pixels = photo("astronaut", 110, 120)
    untiled = net.run(pixels[None], colour()).pixels[0].astype(int)
    apart = np.abs(tiled(net, pixels, 96, model.overlap_px) - untiled)
    assert apart.max() <= 1
    assert np.mean(apart > 0) < 1e-4
    exact = network(name, "float32", "OpenVINO")[1].run(pixels[None], colour()).pixels[0]
    assert np.abs(untiled - exact).max() <= 1
    assert np.mean(untiled != exact) < 1e-3


@pytest.mark.parametrize("name", ["embedded", "official"])
def test_a_smaller_overlap_is_not_exact(name: str) -> None:
    _, net = network(name, "float32", "OpenVINO")
    pixels = photo("astronaut", 110, 120)
    untiled = net.run(pixels[None], colour()).pixels[0]
    assert (tiled(net, pixels, 96, 4) != untiled).any()
