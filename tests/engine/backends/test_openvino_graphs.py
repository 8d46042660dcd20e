"""The graph that is built from a compact network's arrays is the one that tracing it in PyTorch gives."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
import torch
from torch import Tensor, nn

from pixelmend.engine.backends import openvino as openvino_backend
from pixelmend.engine.backends.compact import Compact
from pixelmend.engine.backends.openvino import FLOAT16_SUM_FACTOR, OpenVinoNetwork
from pixelmend.engine.backends.openvino_graphs import export, with_integer_ends
from pixelmend.engine.backends.openvino_tracing import trace
from pixelmend.engine.backends.planes import from_planes, to_planes
from pixelmend.engine.devices.device import cpu_device
from pixelmend.engine.devices.precision import Precision, computes_bfloat16
from pixelmend.engine.weights.architecture import Architecture, LoadedModel
from pixelmend.engine.weights.tensors import ModuleNetwork
from pixelmend.models.catalog import load_catalog
from pixelmend.models.dials import UNTURNED, Dials
from tests.engine.networks import broken, compact_state, embedded_model, load_model, model_from, photo

PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16") if computes_bfloat16() else ("float32",)


class Chain(nn.Module):
    """What the graph computes before its integer ends: the colours of the last channels innermost."""

    def __init__(self, network: Compact) -> None:
        super().__init__()
        self.body = network.body
        last, scale = network.convolutions()[-1], network.config.scale
        order = torch.arange(last.out_channels).view(3, scale, scale).permute(1, 2, 0).flatten()
        assert last.bias is not None
        last.weight.data, last.bias.data = last.weight[order].detach(), last.bias[order].detach()

    def forward(self, low: Tensor) -> Tensor:
        out: Tensor = self.body(low)
        return out


def traced(architecture: Architecture) -> Any:
    network = architecture.network.module()
    assert isinstance(network, Compact)
    return trace(replace(architecture, network=ModuleNetwork(Chain(network))))


def pictures() -> dict[str, Any]:
    """All kinds of channels in both depths."""
    eight = photo("coffee", 40, 56)
    fine = np.random.default_rng(0).integers(0, 200, eight.shape).astype(np.uint16)
    found: dict[str, Any] = {}
    for bits, colour in ((8, eight), (16, eight.astype(np.uint16) * 257 // 256 * 255 + fine)):
        grey, alpha = colour[:, :, :1], colour[::-1, :, 2:]
        found |= {
            f"colour {bits}": colour,
            f"grey {bits}": grey,
            f"grey and alpha {bits}": np.concatenate([grey, alpha], axis=2),
            f"colour and alpha {bits}": np.concatenate([colour, alpha], axis=2),
        }
    return found


def outputs(model: LoadedModel, precision: Precision) -> dict[str, Any]:
    network = OpenVinoNetwork(model, cpu_device(), precision, threads=2)
    results = {}
    for name, pixels in pictures().items():
        tiles, grey = to_planes(pixels)
        output = network.run(tiles, grey)
        assert set(output.faults) == {None}
        results[name] = from_planes(pixels, output.pixels, network.scale)
    return results


def the_same(model: LoadedModel, precision: Precision, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = outputs(model, precision)
    monkeypatch.setattr(openvino_backend, "export", traced)
    for name, pixels in outputs(model, precision).items():
        np.testing.assert_array_equal(ours[name], pixels, err_msg=name)


@pytest.mark.parametrize(
    ("amx", "precision", "favoured"),
    [(True, "bfloat16", (224, 248)), (True, "float32", None), (False, "bfloat16", None)],
)
def test_widths_are_favoured_only_by_the_kernels_for_amx(
    amx: bool, precision: Precision, favoured: tuple[int, int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without AMX all widths cost the same, and choosing one only makes more overlaps."""
    monkeypatch.setattr("pixelmend.engine.backends.openvino.has_amx", lambda: amx)
    network = OpenVinoNetwork(embedded_model(), cpu_device(), precision, threads=1)
    assert network.width_cost.favoured == favoured


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("dials", [UNTURNED, Dials(denoise=0.3)])
def test_the_embedded_network_gives_the_values_of_the_traced_one(
    dials: Dials, precision: Precision, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    the_same(load_model(load_catalog(tmp_path), "pixelmend-x4", dials), precision, monkeypatch)


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_other_scales_and_sizes_do_so_as_well(
    scale: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = compact_state(features=5, hidden=scale - 1, scale=scale)
    the_same(model_from(state, tmp_path), "float32", monkeypatch)


def spoil(bias: Tensor) -> None:
    bias.fill_(np.inf)


@pytest.mark.parametrize("fault", [False, True])
def test_the_sum_of_a_large_tile_is_a_float16_with_a_factor(tmp_path: Path, fault: bool) -> None:
    model = model_from(compact_state(scale=4), tmp_path)
    if fault:
        broken(model, spoil)
    graph = export(model.architecture)
    tile = np.full((1, 512, 512, 3), 255, np.uint8)
    sums = []
    for factor in (1.0, FLOAT16_SUM_FACTOR):
        whole = with_integer_ends(graph, model.architecture, tile.dtype, takes_grey=False, sum_factor=factor)
        sums.append(ov.compile_model(whole, "CPU")(tile)[1][0])
    if fault:
        assert not np.isfinite(sums).any()
    else:
        assert abs(sums[0]) > np.finfo(np.float16).max > abs(sums[1]) > 0
        assert sums[1] == pytest.approx(sums[0] * FLOAT16_SUM_FACTOR, rel=1e-3)
