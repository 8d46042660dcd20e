"""RRDBNets are known by their tensors, whichever program has named them, and compute what PyTorch's do."""

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
import safetensors.torch
import torch
from numpy.typing import NDArray

from pixelmend.engine.backends import reference
from pixelmend.engine.backends.ncnn_models import open_in_ncnn
from pixelmend.engine.backends.openvino import OpenVinoNetwork
from pixelmend.engine.backends.openvino_graphs import export
from pixelmend.engine.backends.openvino_tracing import trace
from pixelmend.engine.devices.device import cpu_device
from pixelmend.engine.weights.architecture import Architecture
from pixelmend.engine.weights.files import State
from pixelmend.engine.weights.rrdb import RrdbNetwork, config_of
from pixelmend.engine.weights.tensors import as_arrays
from tests.engine.networks import ROOT, model_from
from tests.imaging.samples import noise

FEATURES, BLOCKS = 8, 2
SHAPES = [
    *((1, 1), (2, 1), (2, 2)),
    *(pytest.param(*each, marks=pytest.mark.full) for each in ((0, 1), (3, 1), (2, 4))),
]
"""Doublings, and how many pixels a side become channels at first."""


def state_of(doublings: int, unshuffle: int = 1) -> dict[str, NDArray[Any]]:
    """As spandrel names its tensors, which is as the first ESRGAN did."""
    from spandrel.architectures.ESRGAN import ESRGAN

    torch.manual_seed(doublings)
    network = ESRGAN(in_nc=3 * unshuffle**2, num_filters=FEATURES, num_blocks=BLOCKS, scale=2**doublings)
    return as_arrays(network.state_dict())


def names_of(first: str, dense: str, *tail: str) -> list[str]:
    """In the order of computing, which is that of spandrel's states as well."""
    blocks = [
        dense.format(block, part, n) for block in range(BLOCKS) for part in (1, 2, 3) for n in range(1, 6)
    ]
    return [first, *blocks, *tail]


BASICSR = names_of(
    "conv_first", "body.{}.rdb{}.conv{}", "conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"
)
BSRGAN = names_of(
    "conv_first", "RRDB_trunk.{}.RDB{}.conv{}", "trunk_conv", "upconv1", "upconv2", "HRconv", "conv_last"
)


def known_to_spandrel(state: State) -> Architecture:
    from pixelmend.engine.weights.spandrel import build  # seconds, in every worker

    return build("m", state)


@pytest.mark.parametrize(("doublings", "unshuffle"), SHAPES)
def test_it_is_what_spandrel_takes_it_for_and_computes_the_same(
    doublings: int, unshuffle: int, tmp_path: Path
) -> None:
    state = state_of(doublings, unshuffle)
    known = known_to_spandrel(state)
    model = model_from({name: torch.from_numpy(values) for name, values in state.items()}, tmp_path)
    own = model.architecture
    assert isinstance(own.network, RrdbNetwork)
    facts = ("name", "scale", "multiple_of", "minimum_px", "allows_half", "allows_bfloat16", "task")
    assert [getattr(own, name) for name in facts] == [getattr(known, name) for name in facts]
    assert own.receptive_field_px is known.receptive_field_px is None
    assert own.network.value_count == known.network.value_count
    tiles = np.stack([noise(16, 24, 3, seed=n) for n in range(2)])
    with torch.inference_mode():
        unit = torch.from_numpy(tiles.astype(np.float64) / 255).permute(0, 3, 1, 2)
        right, again = (
            each.network.module().double()(unit).clamp(0, 1).permute(0, 2, 3, 1).numpy() * 255
            for each in (known, own)
        )
    assert np.array_equal(again, right)
    np.testing.assert_allclose(reference.compute(own.network, tiles), right, rtol=0, atol=2e-3)
    for network in (
        OpenVinoNetwork(model, cpu_device(), "float32", threads=1),
        open_in_ncnn(model, cpu_device(), "float32"),
    ):
        output = network.run(tiles, np.zeros(2, np.bool_))
        assert output.faults == (None, None)
        assert np.abs(output.pixels - right).max() < 0.6


@pytest.mark.parametrize("names", [BASICSR, BSRGAN])
def test_it_is_known_by_the_names_of_other_programs(names: list[str]) -> None:
    state = state_of(2)
    parts = [f"{name}.{part}" for name in names for part in ("weight", "bias")]
    other = dict(zip(parts, state.values(), strict=True))
    config = config_of(state)
    assert config is not None
    assert config_of(other) == config
    pairs = [RrdbNetwork(config, each).convolutions() for each in (state, other)]
    for one, two in zip(*pairs, strict=True):
        assert np.array_equal(one[0], two[0])
        assert np.array_equal(one[1], two[1])


def test_what_is_no_rrdbnet_is_left_to_spandrel() -> None:
    state = state_of(2)
    assert config_of(state) is not None
    for change in (
        {"model.10.weight": np.zeros((1, FEATURES, 3, 3), np.float32)},
        {"model.0.weight": np.zeros((FEATURES, 4, 3, 3), np.float32)},
        {"model.1.sub.0.RDB1.conv1.0.weight": np.zeros((16, FEATURES, 3, 3), np.float32)},
        {"model.3.bias": np.zeros(FEATURES + 1, np.float32)},
        {"model.3.weight": np.zeros((FEATURES, FEATURES, 1, 1), np.float32)},
    ):
        assert config_of({**state, **change}) is None
    for absent in state:
        assert config_of({name: values for name, values in state.items() if name != absent}) is None
    assert config_of({}) is None


def test_the_graph_has_the_values_of_the_traced_one(tmp_path: Path) -> None:
    """Bit for bit, so that results are those of versions that traced it in PyTorch."""
    state = state_of(2)
    model = model_from({name: torch.from_numpy(values) for name, values in state.items()}, tmp_path)
    unit = noise(24, 32, 3).astype(np.float32).transpose(2, 0, 1)[None] / np.float32(255)
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    ours, traced = (
        ov.compile_model(graph, "CPU", options)(unit)[0]
        for graph in (export(model.architecture), trace(known_to_spandrel(state)))
    )
    assert np.array_equal(ours, traced)


WITHOUT_PYTORCH = """
    import sys
    from pathlib import Path
    for name in ("torch", "torchvision", "spandrel"):
        sys.modules[name] = None  # an import of it fails
    import numpy as np
    from pixelmend.core.telemetry import Logger
    from pixelmend.engine.devices.device import cpu_device
    from pixelmend.engine.model_cache.memory_profile import MemoryProfiles
    from pixelmend.engine.model_cache.provider import CatalogProvider, ModelKey
    from pixelmend.models.catalog import load_catalog

    folder = Path(sys.argv[1])
    profiles = MemoryProfiles(None, Logger())
    for precision in ("float32", None):
        provider = CatalogProvider(lambda: load_catalog(folder), cpu_device(), precision, profiles, 1)
        for name in ("plain", "archive"):
            opened = provider.load_plan(ModelKey(name)).open()
            assert opened.note is None, opened.note
            assert opened.model.scale == 4
            exact = [fallback.open() for fallback in opened.fallbacks]
            assert all(each.label.startswith("float32") for each in exact)
            if precision:
                tile = np.load(folder / "tile.npy")
                np.save(folder / f"{name}.npy", opened.network.run(tile, np.zeros(1, np.bool_)).pixels)
"""


def test_it_needs_no_pytorch_from_either_kind_of_file(tmp_path: Path) -> None:
    state = {name: torch.from_numpy(values) for name, values in state_of(2).items()}
    safetensors.torch.save_file(state, tmp_path / "plain.safetensors")
    torch.save({"params_ema": state}, tmp_path / "archive.pth")
    tile = noise(24, 24, 3)[None]
    np.save(tmp_path / "tile.npy", tile)
    command = [sys.executable, "-c", textwrap.dedent(WITHOUT_PYTORCH), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    with torch.inference_mode():
        unit = torch.from_numpy(tile.astype(np.float32) / 255).permute(0, 3, 1, 2)
        network = known_to_spandrel(as_arrays(state)).network.module()
        right = network(unit).clamp(0, 1).permute(0, 2, 3, 1).numpy() * 255
    for name in ("plain", "archive"):
        assert np.abs(np.load(tmp_path / f"{name}.npy") - right).max() < 0.6
