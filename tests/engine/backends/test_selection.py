"""Opening a model: the fastest way that computes what it should, and a word about what was given up."""

import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pixelmend.core.errors import DeviceMemoryError
from pixelmend.engine.backends.memory_errors import first_line
from pixelmend.engine.backends.ncnn import NcnnNetwork
from pixelmend.engine.backends.network import DeviceNetwork, NetworkOutput
from pixelmend.engine.backends.openvino import OpenVinoNetwork
from pixelmend.engine.backends.selection import open_exact, open_in_torch, open_network
from pixelmend.engine.backends.torch import TorchNetwork
from pixelmend.engine.devices.device import Device, choose_device, cpu_device
from pixelmend.engine.devices.openvino import computes_float16
from pixelmend.engine.weights.architecture import LoadedModel
from pixelmend.engine.weights.tensors import ModuleNetwork
from tests.engine.networks import ROOT, colour, compact_state, in_torch, model_from, module_of
from tests.imaging.samples import noise

THREADS = 2


@pytest.fixture
def compact(tmp_path: Path) -> LoadedModel:
    return model_from(compact_state(), tmp_path)


@pytest.fixture
def model(compact: LoadedModel) -> LoadedModel:
    """A model that is left to PyTorch."""
    return in_torch(compact)


def misbehaving(model: LoadedModel, reduced: Any, full: Any = None) -> LoadedModel:
    """The model with its output changed: by `reduced` in bfloat16, by `full`, if given, in FP32."""

    def change(network: nn.Module, _: object, output: Tensor) -> Tensor:
        wrong = reduced if next(network.parameters()).dtype == torch.bfloat16 else full
        return wrong(output) if wrong else output

    module_of(model).register_forward_hook(change)
    return model


@pytest.mark.parametrize(("precision", "executor"), [("float32", NcnnNetwork), ("bfloat16", OpenVinoNetwork)])
def test_networks_of_convolutions_have_their_own_executors_on_the_cpu(
    compact: LoadedModel, precision: Any, executor: type[DeviceNetwork]
) -> None:
    network, note = open_network(compact, cpu_device(), precision, THREADS)
    assert isinstance(network, executor)
    assert (network.precision, note) == (precision, None)
    assert network.label == f"{precision} on {cpu_device().name}"


def test_parameters_of_five_dimensions_are_no_obstacle(tmp_path: Path) -> None:
    from spandrel.architectures.FFTformer import FFTformer

    state = dict(FFTformer(dim=8, num_blocks=[1, 1, 1], num_refinement_blocks=1).state_dict())
    assert 5 in {tensor.dim() for tensor in state.values()}
    network, _ = open_network(model_from(state, tmp_path), cpu_device(), "float32", THREADS)
    assert network.run(noise(64, 32, 3)[None], colour()).faults == (None,)


def test_float16_on_the_cpu_is_left_to_pytorch(compact: LoadedModel) -> None:
    network, _ = open_network(compact, cpu_device(), "float16", THREADS)
    assert isinstance(network, TorchNetwork)


def test_a_plugin_of_openvinos_is_taken_by_its_name(compact: LoadedModel) -> None:
    network, note = open_network(compact, choose_device("openvino:cpu"), "float32", THREADS)
    assert isinstance(network, OpenVinoNetwork)
    assert (network.device.plugin, network.precision, note) == ("CPU", "float32", None)
    right, _ = open_network(compact, cpu_device(), "float32", THREADS)
    tile = noise(24, 24, 3)[None]
    ours, theirs = (each.run(tile, colour()).pixels.astype(int) for each in (network, right))
    assert np.abs(ours - theirs).max() <= 1


def test_a_precision_that_a_plugin_lacks_is_given_up_and_said(compact: LoadedModel) -> None:
    device = choose_device("openvino:cpu")
    if computes_float16(device):
        pytest.skip("this CPU computes float16")
    network, note = open_network(compact, device, "float16", THREADS)
    assert (network.device, network.precision) == (device, "float32")
    assert note is not None
    assert note.startswith(f"float16 on {device.name} fails: the plugin computes ")
    assert note.endswith("instead; using float32")


def test_networks_that_openvino_does_not_run_are_left_to_the_cpu(model: LoadedModel) -> None:
    network, note = open_network(model, choose_device("openvino:cpu"), "float32", THREADS)
    assert (network.device.type, network.precision) == ("cpu", "float32")
    assert note is not None
    assert "Other is not one of the networks for OpenVINO: Compact, ESRGAN" in note


def test_a_plugin_of_openvinos_falls_back_on_itself_in_float32(compact: LoadedModel) -> None:
    device = choose_device("openvino:cpu")
    network = open_exact(compact, device, THREADS)
    assert (network.device, network.precision) == (device, "float32")


def test_the_embedded_model_opens_without_what_takes_long_to_import() -> None:
    script = """
        import sys
        from pixelmend.engine.devices.device import cpu_device
        from pixelmend.engine.backends.selection import open_exact, open_network
        from tests.engine.networks import embedded_model
        open_network(embedded_model(), cpu_device(), None, 1)
        print([name for name in ("spandrel", "torchvision", "torch._dynamo") if name in sys.modules])
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("precision", "broken", "next_one", "name"),
    [
        ("float32", NcnnNetwork, OpenVinoNetwork, "ncnn"),
        ("bfloat16", OpenVinoNetwork, TorchNetwork, "OpenVINO"),
    ],
)
def test_a_compact_network_that_an_executor_computes_wrongly_is_left_to_the_next(
    compact: LoadedModel,
    precision: Any,
    broken: type[DeviceNetwork],
    next_one: type[DeviceNetwork],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Numpy says what is right, so that PyTorch need not be there to find out."""
    right = broken.run

    def wrong(network: Any, tiles: Any, grey: Any) -> NetworkOutput:
        output = right(network, tiles, grey)
        return replace(output, pixels=output.pixels // 2)

    monkeypatch.setattr(broken, "run", wrong)
    network, note = open_network(compact, cpu_device(), precision, THREADS)
    assert isinstance(network, next_one)
    assert network.precision == precision
    assert note is not None
    assert note.startswith(f"{name}'s {precision} on {cpu_device().name} computes wrong values")


def test_without_ncnn_and_openvino_the_cpu_is_left_to_pytorch(
    compact: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ncnn", None)  # an import of it fails
    monkeypatch.delitem(sys.modules, "pixelmend.engine.backends.ncnn", raising=False)
    monkeypatch.setitem(sys.modules, "openvino", None)  # an import of it fails
    monkeypatch.delitem(sys.modules, "pixelmend.engine.backends.openvino", raising=False)
    monkeypatch.delitem(sys.modules, "pixelmend.engine.backends.openvino_graphs", raising=False)
    network, note = open_network(compact, cpu_device(), "float32", THREADS)
    assert isinstance(network, TorchNetwork)
    assert note is not None
    assert "ncnn cannot be loaded" in note
    assert "OpenVINO cannot be loaded" in note


@pytest.fixture
def ncnn_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on ARM: neither OpenVINO nor PyTorch."""
    for module in ("openvino", "pixelmend.engine.backends.torch"):
        monkeypatch.setitem(sys.modules, module, None)  # an import of it fails
    for module in ("openvino", "openvino_graphs"):
        monkeypatch.delitem(sys.modules, f"pixelmend.engine.backends.{module}", raising=False)


@pytest.mark.usefixtures("ncnn_alone")
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_without_openvino_and_pytorch_ncnn_computes(compact: LoadedModel, precision: Any) -> None:
    network, note = open_network(compact, cpu_device(), precision, THREADS)
    assert isinstance(network, NcnnNetwork)
    assert network.precision == "float32"
    assert (note is None) == (precision == "float32")
    assert note is None or note.endswith("using float32")


@pytest.mark.usefixtures("ncnn_alone")
def test_without_openvino_and_pytorch_a_faulty_tile_falls_back_on_ncnn(compact: LoadedModel) -> None:
    network = open_exact(compact, cpu_device(), THREADS)
    assert isinstance(network, NcnnNetwork)
    assert network.precision == "float32"


def test_without_pytorch_openvino_is_what_a_faulty_tile_falls_back_on(
    compact: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(open_exact(compact, cpu_device(), THREADS), TorchNetwork)
    monkeypatch.setitem(sys.modules, "pixelmend.engine.backends.torch", None)  # an import of it fails
    network = open_exact(compact, cpu_device(), THREADS)
    assert isinstance(network, OpenVinoNetwork)
    assert network.precision == "float32"


class SizeDependent(nn.Module):
    """Repeats pixels; brightens tiles of more than 20 px, which a traced graph cannot know."""

    def forward(self, unit: Tensor) -> Tensor:
        result = unit.repeat_interleave(2, 2).repeat_interleave(2, 3)
        return result * 0.5 + 0.4 if unit.shape[2] > 20 else result


def test_what_openvino_computes_wrongly_is_left_to_pytorch(compact: LoadedModel) -> None:
    network = SizeDependent()
    network.register_parameter("weight", nn.Parameter(torch.ones(1)))
    other = replace(
        compact, architecture=replace(compact.architecture, name="ESRGAN", network=ModuleNetwork(network))
    )
    opened, note = open_network(other, cpu_device(), "bfloat16", THREADS)
    assert isinstance(opened, TorchNetwork)
    assert opened.precision == "bfloat16"
    assert note is not None
    assert note.startswith(f"OpenVINO's bfloat16 on {cpu_device().name} computes wrong values")
    assert note.endswith("; using bfloat16")
    tile = noise(24, 24, 3)[None]
    result = opened.run(tile, colour()).pixels
    assert np.abs(result[0, ::2, ::2] - (tile[0] * 0.5 + 0.4 * 255)).max() <= 2


def test_a_sound_precision_is_kept_without_a_note(model: LoadedModel) -> None:
    network, note = open_network(model, cpu_device(), "bfloat16", THREADS)
    assert (network.precision, note) == ("bfloat16", None)


def test_fp32_on_the_cpu_needs_no_probe(model: LoadedModel) -> None:
    network, note = open_network(model, cpu_device(), "float32", THREADS)
    assert (network.precision, note) == ("float32", None)
    assert network.label == f"float32 on {cpu_device().name}"


def test_wrong_values_make_a_precision_be_given_up(model: LoadedModel) -> None:
    liar = misbehaving(model, lambda output: output * 0.9)
    network, note = open_network(liar, cpu_device(), "bfloat16", THREADS)
    assert network.precision == "float32"
    assert note is not None
    assert "bfloat16 on" in note
    assert "computes wrong values" in note
    assert note.endswith("using float32 on the CPU")


def test_faulty_values_make_a_precision_be_given_up(model: LoadedModel) -> None:
    liar = misbehaving(model, lambda output: output * float("nan"))
    network, note = open_network(liar, cpu_device(), "bfloat16", THREADS)
    assert network.precision == "float32"
    assert note is not None


def test_a_missing_operation_makes_a_precision_be_given_up(model: LoadedModel) -> None:
    def lack(output: Tensor) -> Tensor:
        raise NotImplementedError

    network, note = open_network(misbehaving(model, lack), cpu_device(), "bfloat16", THREADS)
    assert network.precision == "float32"
    assert note is not None
    assert "fails: NotImplementedError" in note


class PretendGpu(Device):
    """A GPU as far as choices go; PyTorch is told to compute on the CPU."""

    @property
    def torch_name(self) -> str:
        return "cpu"


GPU = PretendGpu("mps", 0, "pretended GPU", 1 << 30)


def test_fp32_on_the_device_comes_before_the_cpu(model: LoadedModel) -> None:
    liar = misbehaving(model, lambda output: output * 0.9)
    network, note = open_network(liar, GPU, "bfloat16", THREADS)
    assert network.label == "float32 on pretended GPU"
    assert note is not None
    assert note.startswith("bfloat16 on pretended GPU computes wrong values")
    assert note.endswith("; using float32")


def test_a_device_wrong_in_every_precision_is_left_for_the_cpu(model: LoadedModel) -> None:
    calls: list[int] = []

    def right_once(output: Tensor) -> Tensor:
        calls.append(1)  # the first call in FP32 is the truth that the CPU computes
        return output if len(calls) == 1 else output * 0.9

    liar = misbehaving(model, lambda output: output * 0.9, right_once)
    network, note = open_network(liar, GPU, "bfloat16", THREADS)
    assert network.label == f"float32 on {cpu_device().name}"
    assert note is not None
    assert note.count("computes wrong values") == 2
    assert note.endswith("using float32 on the CPU")


def test_no_memory_for_the_probe_is_said(model: LoadedModel) -> None:
    def refuse(output: Tensor) -> Tensor:
        raise RuntimeError("MPS backend out of memory")

    with pytest.raises(DeviceMemoryError, match="pretended GPU: MPS backend out of memory"):
        open_network(misbehaving(model, refuse), GPU, "bfloat16", THREADS)


@pytest.mark.parametrize("scale", [2, 1])
def test_an_rrdbnet_that_takes_pixels_apart_runs_in_ncnn(tmp_path: Path, scale: int) -> None:
    from spandrel.architectures.ESRGAN import ESRGAN

    torch.manual_seed(0)
    factor = 4 // scale
    network = ESRGAN(in_nc=3 * factor**2, num_filters=8, num_blocks=1, scale=4, shuffle_factor=factor)
    state = dict(network.state_dict())
    model = model_from({name: 2 * tensor for name, tensor in state.items()}, tmp_path)
    found, note = open_network(model, cpu_device(), "float32", THREADS)
    assert isinstance(found, NcnnNetwork)
    assert (found.scale, note) == (scale, None)
    tile = noise(24, 32, 3)[None]
    right = open_in_torch(model, cpu_device(), "float32", THREADS).run(tile, colour()).pixels
    assert np.abs(found.run(tile, colour()).pixels.astype(int) - right).max() <= 1


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (
            "Exception from src/a.cpp:224:\nException from src/b.cpp:1:\n[CPU] no kernel\nmore",
            "[CPU] no kernel",
        ),
        ("no kernel\nmore", "no kernel"),
        ("", "RuntimeError"),
    ],
)
def test_notes_say_what_failed_and_not_where_in_openvino(message: str, line: str) -> None:
    assert first_line(RuntimeError(message)) == line
