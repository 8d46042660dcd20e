"""One network on one device: the values, the self-check and the errors."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from pixelmend.engine.device import Device, cpu_device
from pixelmend.engine.loader import LoadedModel
from pixelmend.engine.network import TorchNetwork, open_network
from pixelmend.errors import DeviceMemoryError
from tests.engine.networks import broken, colour, compact_state, model_from, photo
from tests.imaging.samples import noise


@pytest.fixture
def model(tmp_path: Path) -> LoadedModel:
    return model_from(compact_state(), tmp_path)


def on_cpu(model: LoadedModel) -> TorchNetwork:
    return TorchNetwork(model, cpu_device(), "float32")


def exact(model: LoadedModel, tiles: NDArray[Any]) -> NDArray[np.float64]:
    """What the network should give, computed in double precision and not rounded."""
    unit = torch.from_numpy(tiles.astype(np.float64) / np.iinfo(tiles.dtype).max).permute(0, 3, 1, 2)
    copy = type(model.descriptor.model)(num_feat=8, num_conv=2, upscale=model.scale).double()
    copy.load_state_dict(model.descriptor.model.state_dict())
    with torch.inference_mode():
        output: Tensor = copy(unit).clamp(0, 1).permute(0, 2, 3, 1)
    return output.numpy() * np.iinfo(tiles.dtype).max


def always_raising(model: LoadedModel, error: BaseException) -> TorchNetwork:
    network = on_cpu(model)

    def refuse(*_: object) -> None:
        raise error

    network._descriptor.model.register_forward_pre_hook(refuse)
    return network


@pytest.mark.parametrize("bits", [8, 16])
def test_values_are_right_to_one_step(model: LoadedModel, bits: int) -> None:
    tiles = noise(20, 24, 3, bits)[None]
    output = on_cpu(model).run(tiles, colour())
    assert output.pixels.dtype == tiles.dtype
    assert output.pixels.shape == (1, 40, 48, 3)
    assert output.faults == (None,)
    assert np.abs(output.pixels - exact(model, tiles)).max() <= 1


def test_items_of_a_batch_do_not_mix(model: LoadedModel) -> None:
    tiles = np.stack([noise(16, 16, 3, seed=i) for i in range(3)])
    network = on_cpu(model)
    together = network.run(tiles, colour(3)).pixels
    for i in range(3):
        np.testing.assert_array_equal(together[i], network.run(tiles[i : i + 1], colour()).pixels[0])


@pytest.mark.parametrize("bits", [8, 16])
def test_grey_stays_grey(model: LoadedModel, bits: int) -> None:
    tiles = np.repeat(noise(16, 16, 1, bits), 3, axis=2)[None].repeat(2, axis=0)
    pixels = on_cpu(model).run(tiles, np.array([True, False])).pixels
    assert (pixels[0] == pixels[0][:, :, :1]).all()
    assert (pixels[1] != pixels[1][:, :, :1]).any()
    luma = exact(model, tiles)[0] @ [0.299, 0.587, 0.114]
    assert np.abs(pixels[0][:, :, 0] - luma).max() <= 1


def fill(value: float) -> Any:
    def change(weights: Tensor) -> None:
        weights.fill_(value)

    return change


def erase_all(model: LoadedModel) -> LoadedModel:
    """The model, giving mid-grey for everything."""

    def flatten(_: object, __: object, output: Tensor) -> Tensor:
        return torch.full_like(output, 0.5)

    model.descriptor.model.register_forward_hook(flatten)
    return model


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_output_that_is_not_finite_is_a_fault(model: LoadedModel, value: float) -> None:
    output = on_cpu(broken(model, fill(value))).run(photo("coffee", 16, 16)[None], colour())
    assert output.faults == ("not finite",)


def test_one_bad_pixel_in_one_channel_is_a_fault_of_its_item_only(model: LoadedModel) -> None:
    def spoil(_: object, __: object, output: Tensor) -> Tensor:
        output[1, 2, 3, 4] = float("inf")
        return output

    model.descriptor.model.register_forward_hook(spoil)
    tiles = np.stack([noise(16, 16, 3, seed=i) for i in range(3)])
    assert on_cpu(model).run(tiles, colour(3)).faults == (None, "not finite", None)


@pytest.mark.parametrize("value", [5.0, -5.0])
def test_all_white_or_all_black_output_is_a_fault(model: LoadedModel, value: float) -> None:
    output = on_cpu(broken(model, fill(value))).run(photo("coffee", 16, 16)[None], colour())
    assert output.faults == ("collapsed to a flat value",)


def test_a_flat_colour_is_a_fault_although_its_channels_differ(model: LoadedModel) -> None:
    def paint(_: object, __: object, output: Tensor) -> Tensor:
        return torch.tensor([0.2, 0.5, 0.9]).view(1, 3, 1, 1).expand_as(output).clone()

    model.descriptor.model.register_forward_hook(paint)
    output = on_cpu(model).run(photo("coffee", 16, 16)[None], colour())
    assert output.faults == ("collapsed to a flat value",)


@pytest.mark.parametrize("shade", [0, 90, 255])
def test_a_flat_tile_may_come_out_flat(model: LoadedModel, shade: int) -> None:
    flat = erase_all(model)
    assert on_cpu(flat).run(np.full((1, 16, 16, 3), shade, np.uint8), colour()).faults == (None,)


def test_a_denoiser_may_remove_a_single_bright_pixel(model: LoadedModel) -> None:
    tile = np.zeros((1, 16, 16, 3), np.uint8)
    tile[0, 8, 8] = 255
    assert on_cpu(erase_all(model)).run(tile, colour()).faults == (None,)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB\nmore"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9"),
        RuntimeError("DefaultCPUAllocator: not enough memory"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        MemoryError(),
    ],
)
def test_every_way_of_saying_out_of_memory_is_translated(model: LoadedModel, error: BaseException) -> None:
    with pytest.raises(DeviceMemoryError) as caught:
        always_raising(model, error).run(noise(16, 16, 3)[None], colour())
    assert caught.value.message.startswith(cpu_device().name)
    assert "\n" not in caught.value.message
    assert caught.value.__cause__ is error


def test_other_errors_pass_unchanged(model: LoadedModel) -> None:
    with pytest.raises(RuntimeError, match=r"^no kernel image$"):
        always_raising(model, RuntimeError("no kernel image")).run(noise(16, 16, 3)[None], colour())


def test_the_callers_model_is_left_as_it_was(model: LoadedModel) -> None:
    TorchNetwork(model, cpu_device(), "bfloat16")
    assert {p.dtype for p in model.descriptor.model.parameters()} == {torch.float32}
    assert len(model.descriptor.model._forward_hooks) == 0


# --- a device that does not do what it claims ---------------------------------------------------------


def misbehaving(model: LoadedModel, reduced: Any, full: Any = None) -> LoadedModel:
    """The model with its output changed: by `reduced` in bfloat16, by `full`, if given, in FP32."""

    def change(_: object, __: object, output: Tensor) -> Tensor:
        wrong = reduced if output.dtype == torch.bfloat16 else full
        return wrong(output) if wrong else output

    model.descriptor.model.register_forward_hook(change)
    return model


def test_a_sound_precision_is_kept_without_a_note(model: LoadedModel) -> None:
    network, note = open_network(model, cpu_device(), "bfloat16")
    assert (network.precision, note) == ("bfloat16", None)


def test_fp32_on_the_cpu_needs_no_probe(model: LoadedModel) -> None:
    network, note = open_network(model, cpu_device(), "float32")
    assert (network.precision, note) == ("float32", None)
    assert network.label == f"float32 on {cpu_device().name}"


def test_wrong_values_make_a_precision_be_given_up(model: LoadedModel) -> None:
    liar = misbehaving(model, lambda output: output * 0.9)
    network, note = open_network(liar, cpu_device(), "bfloat16")
    assert network.precision == "float32"
    assert note is not None
    assert "bfloat16 on" in note
    assert "computes wrong values" in note
    assert note.endswith("using float32 on the CPU")


def test_faulty_values_make_a_precision_be_given_up(model: LoadedModel) -> None:
    liar = misbehaving(model, lambda output: output * float("nan"))
    network, note = open_network(liar, cpu_device(), "bfloat16")
    assert network.precision == "float32"
    assert note is not None


def test_a_missing_operation_makes_a_precision_be_given_up(model: LoadedModel) -> None:
    def lack(output: Tensor) -> Tensor:
        raise NotImplementedError

    network, note = open_network(misbehaving(model, lack), cpu_device(), "bfloat16")
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
    network, note = open_network(liar, GPU, "bfloat16")
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
    network, note = open_network(liar, GPU, "bfloat16")
    assert network.label == f"float32 on {cpu_device().name}"
    assert note is not None
    assert note.count("computes wrong values") == 2
    assert note.endswith("using float32 on the CPU")


def test_no_memory_for_the_probe_is_said(model: LoadedModel) -> None:
    def refuse(output: Tensor) -> Tensor:
        raise RuntimeError("MPS backend out of memory")

    with pytest.raises(DeviceMemoryError, match="pretended GPU: MPS backend out of memory"):
        open_network(misbehaving(model, refuse), GPU, "bfloat16")
