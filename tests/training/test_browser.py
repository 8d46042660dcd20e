"""The networks for browsers compute what PyTorch computes, at any size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray

from pixelmend.engine.backends.compact import Compact
from pixelmend.engine.weights.compact import NetworkConfig
from training import browser
from training.browser import WEIGHTS, to_onnx
from training.methods import read_network
from training.networks import Network
from training.photos import photo

SHIPPED = sorted(WEIGHTS.glob("*.safetensors"))
# What onnxruntime-web 1.20 and later run on WebGPU; js/web/lib/wasm/jsep/webgpu/op-resolve-rules.ts there.
WEBGPU = {"Add", "Cast", "Clip", "Conv", "DepthToSpace", "Mul", "Relu", "Resize", "Sub"}

Floats = NDArray[np.float32]


def computed(model: onnx.ModelProto | Path, pixels: Floats) -> Floats:
    source = str(model) if isinstance(model, Path) else model.SerializeToString()
    session = onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"])
    (output,) = session.run(["enlarged"], {"pixels": pixels})
    return np.asarray(output, np.float32)


def expected(network: Network, pixels: Floats) -> Floats:
    with torch.inference_mode():
        return np.asarray(network(torch.from_numpy(pixels)).clamp(0.0, 1.0).numpy())


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("onnx")
    browser.main([str(folder)])
    return folder


@pytest.mark.parametrize("weights", SHIPPED, ids=lambda path: path.stem)
@pytest.mark.parametrize("size", [(40, 64), (33, 7), (1, 1)])
def test_the_files_compute_what_pytorch_does(files: Path, weights: Path, size: tuple[int, int]) -> None:
    picture = photo("chelsea")[100 : 100 + size[0], 150 : 150 + size[1]].astype(np.float32) / 255.0
    pixels = np.ascontiguousarray(picture.transpose(2, 0, 1)[None])
    wanted = expected(read_network(weights), pixels)
    for suffix in ("", "-fp16"):
        output = computed(files / f"{weights.stem}{suffix}.onnx", pixels)
        assert output.shape == wanted.shape
        assert np.abs(output - wanted).max() <= 1.0 / 255.0


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_channels_become_pixels_in_the_right_order(scale: int) -> None:
    """Random weights: in trained ones, neighbouring pixels are alike, and a wrong order would hardly show."""
    torch.manual_seed(scale)
    network = Compact(NetworkConfig(8, 2, scale)).eval()
    for layer in network.activations():
        torch.nn.init.uniform_(layer.weight, -0.5, 1.5)
    pixels = np.random.default_rng(0).random((2, 3, 9, 12), np.float32)
    output = computed(to_onnx(network, "float32"), pixels)
    wanted = expected(network, pixels)
    assert np.ptp(wanted) > 0.5
    np.testing.assert_allclose(output, wanted, atol=1e-5)


def test_only_what_webgpu_runs(files: Path) -> None:
    for weights in SHIPPED:
        for suffix in ("", "-fp16"):
            model = onnx.load(files / f"{weights.stem}{suffix}.onnx")
            assert {node.op_type for node in model.graph.node} <= WEBGPU
            dimensions = model.graph.input[0].type.tensor_type.shape.dim
            assert [d.dim_param or d.dim_value for d in dimensions] == ["batch", 3, "height", "width"]


def test_sizes_are_listed_and_small(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    browser.main([str(tmp_path), str(SHIPPED[0])])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    for line in lines:
        path, _, size = line.removesuffix(" bytes").rpartition(": ")
        assert Path(path).stat().st_size == int(size) <= (1_500_000 if "fp16" in path else 3_000_000)
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".onnx", ".onnx"]
