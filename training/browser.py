"""The embedded networks for browsers: ``python -m training.browser FOLDER [WEIGHTS...]`` writes ONNX files.

Each Compact network gets two files: NAME.onnx, which computes in float32 (its constants are stored as float16
if that loses nothing, as with all weights that ship), and NAME-fp16.onnx, whose convolutions are float16.
Both map ``pixels`` (batch, 3, height, width) float32 RGB in [0, 1], of any size, to ``enlarged`` (batch, 3,
scale * height, scale * width) float32 in [0, 1].

The graph is put together by hand, of operators that onnxruntime-web runs on WebGPU as well as in WebAssembly.
PRelu is not among them: a graph that has it would go to and fro between the devices at each activation.

``--app`` writes what the web app ships instead: NAME.onnx of every embedded network and ``manifest.json``,
which says what there is to programs without Python.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from pixelmend.engine.backends.compact import Compact, from_state
from pixelmend.engine.weights.files import read_state
from pixelmend.engine.weights.tensors import as_tensors
from pixelmend.models.catalog import ModelEntry, load_catalog

WEIGHTS = Path(__file__).parents[1] / "backend/pixelmend/models/weights"
APP_MODELS = Path(__file__).parents[1] / "frontend/src/processing/browser/models"
MANIFEST = "manifest.json"

OPSET = 17
# The version of the format itself that came with this opset.
IR_VERSION = 8
INPUT, OUTPUT = "pixels", "enlarged"

Precision = Literal["float32", "float16"]


def to_onnx(network: Compact, precision: Precision) -> onnx.ModelProto:
    """The network as an ONNX model, checked."""
    scale, channels = network.config.scale, network.config.channels
    graph = _Graph(precision)
    signal = graph.cast(INPUT, precision)
    for convolution, activation in zip(network.convolutions(), [*network.activations(), None], strict=True):
        assert convolution.bias is not None
        kernel, bias = graph.constant(convolution.weight), graph.constant(convolution.bias)
        signal = graph.add("Conv", [signal, kernel, bias], pads=[1, 1, 1, 1])
        if activation is not None:
            signal = _parametric_relu(graph, signal, graph.constant(activation.weight[:, None, None]))
    # The last sum in float32, as everywhere (engine/backends/compact.py).
    signal = graph.cast(signal, "float32")
    added = graph.add("DepthToSpace", [signal], blocksize=scale, mode="CRD")
    scales = graph.array(np.array((1, 1, scale, scale), np.float32))
    base = graph.add(
        "Resize",
        [INPUT, "", scales],
        mode="nearest",
        nearest_mode="floor",
        coordinate_transformation_mode="asymmetric",
    )
    total = graph.add("Add", [added, base])
    bounds = [graph.array(np.array(bound, np.float32)) for bound in (0.0, 1.0)]
    graph.add("Clip", [total, *bounds], name=OUTPUT)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "compact",
            [_picture(INPUT, channels, "height", "width")],
            [_picture(OUTPUT, channels, f"{scale} * height", f"{scale} * width")],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="pixelmend",
    )
    helper.set_model_props(
        model, {"scale": str(scale), "receptive_field_px": str(len(network.convolutions()))}
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def _parametric_relu(graph: _Graph, signal: str, slopes: str) -> str:
    """max(x, 0) + slope * min(x, 0), to the bit."""
    positive = graph.add("Relu", [signal])
    negative = graph.add("Sub", [signal, positive])
    return graph.add("Add", [positive, graph.add("Mul", [slopes, negative])])


def _picture(name: str, channels: int, height: str, width: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", channels, height, width])


class _Graph:
    """Nodes and constants as they are added; each call returns the name of what it makes."""

    def __init__(self, precision: Precision) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._precision = precision

    def add(self, kind: str, inputs: list[str], *, name: str = "", **attributes: Any) -> str:
        name = name or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def cast(self, signal: str, precision: Precision) -> str:
        """Nothing in a graph of float32."""
        if self._precision == "float32":
            return signal
        kind = TensorProto.FLOAT16 if precision == "float16" else TensorProto.FLOAT
        return self.add("Cast", [signal], to=kind)

    def constant(self, tensor: Tensor) -> str:
        """A constant in the graph's precision, stored in half the space if nothing is lost."""
        values = tensor.detach().cpu().numpy().astype(self._precision)
        half = values.astype(np.float16)
        if self._precision == "float32" and np.array_equal(half.astype(np.float32), values):
            return self.add("Cast", [self.array(half)], to=TensorProto.FLOAT)
        return self.array(values)

    def array(self, values: NDArray[np.generic]) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name


def write_models(weights: Path, folder: Path) -> list[Path]:
    """Both files of one network, each whole or not at all. Raises ValueError if it is not Compact."""
    network = from_state(as_tensors(read_state(weights)))
    written = []
    precisions: tuple[tuple[Precision, str], ...] = (("float32", ""), ("float16", "-fp16"))
    for precision, suffix in precisions:
        path = folder / f"{weights.stem}{suffix}.onnx"
        part = path.with_suffix(".part")
        part.write_bytes(to_onnx(network, precision).SerializeToString(deterministic=True))
        part.replace(path)
        written.append(path)
    return written


def write_app_models(folder: Path) -> list[Path]:
    """What the web app ships: a file for each embedded network, and the manifest. Other networks go."""
    entries = [entry for entry in load_catalog(folder).entries if entry.origin == "embedded"]
    written, rows = [], []
    for entry in entries:
        network = from_state(as_tensors(read_state(entry.path)))
        model = to_onnx(network, "float32")
        data = model.SerializeToString(deterministic=True)
        path = folder / f"{entry.id}.onnx"
        path.write_bytes(data)
        written.append(path)
        rows.append(_manifest_row(entry, network, model, data))
    for path in folder.glob("*.onnx"):
        if path not in written:
            path.unlink()
    manifest = folder / MANIFEST
    manifest.write_text(json.dumps({"models": rows}, indent=1) + "\n", encoding="utf-8")
    return [*written, manifest]


def _manifest_row(
    entry: ModelEntry, network: Compact, model: onnx.ModelProto, data: bytes
) -> dict[str, object]:
    return {
        "id": entry.id,
        "title": entry.title,
        "scale": network.config.scale,
        "file": f"{entry.id}.onnx",
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "receptiveFieldPx": len(network.convolutions()),
        "denoisePartner": entry.denoise_partner,
        "ownDenoise": entry.own_denoise,
        "twice": entry.twice,
        "detailPartner": entry.detail_partner,
        # Where the weights lie, for a mixture with those of its partners, files of the same layout.
        "halves": _places_of_halves(model, data) if entry.partners else None,
    }


def _places_of_halves(model: onnx.ModelProto, data: bytes) -> list[list[int]]:
    """Offset and count of each float16 constant in the file."""
    places, end = [], 0
    for constant in model.graph.initializer:
        if constant.data_type == TensorProto.FLOAT16:
            start = data.index(constant.raw_data, end)
            end = start + len(constant.raw_data)
            places.append([start, len(constant.raw_data) // 2])
    return places


def main(arguments: Sequence[str] | None = None) -> None:
    """The command: writes the files and lists their sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("weights", type=Path, nargs="*", help="default: all that ship with the package")
    parser.add_argument("--app", action="store_true", help="write what the web app ships, with its manifest")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.app:
        for path in write_app_models(options.folder):
            print(f"{path}: {path.stat().st_size} bytes")
        return
    for weights in options.weights or sorted(WEIGHTS.glob("*.safetensors")):
        for path in write_models(weights, options.folder):
            print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
