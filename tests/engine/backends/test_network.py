"""One network on one device: the values, the self-check and the errors."""

import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from pixelmend.core.errors import DeviceMemoryError
from pixelmend.engine.backends.network import TileNetwork
from pixelmend.engine.backends.openvino import OpenVinoNetwork
from pixelmend.engine.backends.torch import TorchNetwork
from pixelmend.engine.devices.device import cpu_device
from pixelmend.engine.weights.architecture import LoadedModel
from tests.engine.networks import (
    ROOT,
    broken,
    colour,
    compact_state,
    embedded_model,
    in_torch,
    model_from,
    module_of,
    photo,
)
from tests.imaging.samples import noise


@pytest.fixture
def model(tmp_path: Path) -> LoadedModel:
    return model_from(compact_state(), tmp_path)


def on_cpu(model: LoadedModel) -> TorchNetwork:
    return TorchNetwork(model, cpu_device(), "float32")


Opener = Callable[[LoadedModel], TileNetwork]


@pytest.fixture(params=["PyTorch", "OpenVINO"])
def opened(request: pytest.FixtureRequest) -> Opener:
    """Opens a model in float32 on the CPU with one executor or the other."""
    return (
        on_cpu
        if request.param == "PyTorch"
        else partial(OpenVinoNetwork, device=cpu_device(), precision="float32", threads=2)
    )


def exact(model: LoadedModel, tiles: NDArray[Any]) -> NDArray[np.float64]:
    """What the network should give, computed in double precision and not rounded."""
    unit = torch.from_numpy(tiles.astype(np.float64) / np.iinfo(tiles.dtype).max).permute(0, 3, 1, 2)
    copy = model.architecture.network.module().double()
    with torch.inference_mode():
        output: Tensor = copy(unit).clamp(0, 1).permute(0, 2, 3, 1)
    return output.numpy() * np.iinfo(tiles.dtype).max


def always_raising(model: LoadedModel, error: BaseException) -> TorchNetwork:
    network = on_cpu(model)

    def refuse(*_: object) -> None:
        raise error

    network._network.register_forward_pre_hook(refuse)
    return network


@pytest.mark.parametrize("bits", [8, 16])
def test_values_are_right_to_one_step(model: LoadedModel, opened: Opener, bits: int) -> None:
    tiles = noise(20, 24, 3, bits)[None]
    output = opened(model).run(tiles, colour())
    assert output.pixels.dtype == tiles.dtype
    assert output.pixels.shape == (1, 40, 48, 3)
    assert output.faults == (None,)
    assert np.abs(output.pixels - exact(model, tiles)).max() <= 1


def test_items_of_a_batch_do_not_mix(model: LoadedModel, opened: Opener) -> None:
    tiles = np.stack([noise(16, 16, 3, seed=i) for i in range(3)])
    network = opened(model)
    together = network.run(tiles, colour(3)).pixels
    for i in range(3):
        np.testing.assert_array_equal(together[i], network.run(tiles[i : i + 1], colour()).pixels[0])


def test_threads_with_tiles_of_many_sizes_do_not_disturb_one_another(
    model: LoadedModel, opened: Opener
) -> None:
    network = opened(model)
    tiles = [noise(10 + 3 * i, 40 - 5 * i, 3, seed=i)[None] for i in range(6)]
    alone = [network.run(tile, colour()).pixels for tile in tiles]
    with ThreadPoolExecutor(3) as threads:
        together = list(threads.map(lambda tile: network.run(tile, colour()).pixels, tiles * 8))
    for i, pixels in enumerate(together):
        np.testing.assert_array_equal(pixels, alone[i % len(tiles)])


@pytest.mark.full
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's address space")
@pytest.mark.parametrize("executor", ["OpenVinoNetwork", "TorchNetwork"])
def test_memory_that_really_runs_out_is_said_and_the_next_tile_is_right(executor: str) -> None:
    script = f"""
        import resource
        import numpy as np, psutil
        from pixelmend.engine.devices.device import cpu_device
        from pixelmend.engine.backends.openvino import OpenVinoNetwork
        from pixelmend.engine.backends.torch import TorchNetwork
        from pixelmend.core.errors import DeviceMemoryError
        from tests.engine.networks import colour, embedded_model, photo
        more = {{"threads": 2}} if "{executor}" == "OpenVinoNetwork" else {{}}
        network = {executor}(embedded_model(), cpu_device(), "float32", **more)
        tile = photo("coffee", 40, 40)[None]
        before = network.run(tile, colour()).pixels
        room = psutil.Process().memory_info().vms + 300_000_000
        resource.setrlimit(resource.RLIMIT_AS, (room, resource.RLIM_INFINITY))
        try:
            network.run(np.zeros((1, 1500, 1500, 3), np.uint8), colour())
        except DeviceMemoryError as error:
            print(error.message.count(chr(10)), "alloc" in error.message)
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print((network.run(tile, colour()).pixels == before).all())
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout.split() == ["0", "True", "True"], done.stdout + done.stderr


@pytest.mark.full
def test_memory_does_not_grow_with_the_number_of_tile_sizes() -> None:
    network = OpenVinoNetwork(embedded_model(), cpu_device(), "float32", threads=2)
    sizes = np.random.default_rng(0).integers(16, 90, (700, 2))

    def run_all(some: NDArray[Any]) -> int:
        for height, width in some:
            network.run(np.zeros((1, height, width, 3), np.uint8), colour())
        return psutil.Process().memory_info().rss

    settled_bytes = run_all(sizes[:300])
    # With OpenVINO's own limit it is more than a megabyte for every size.
    assert run_all(sizes[300:]) - settled_bytes < 100_000_000


def test_a_result_outlives_the_next_batch(model: LoadedModel, opened: Opener) -> None:
    network = opened(model)
    first = network.run(noise(16, 16, 3)[None], colour()).pixels
    kept = first.copy()
    network.run(np.zeros((1, 16, 16, 3), np.uint8), colour())
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("bits", [8, 16])
def test_grey_stays_grey(model: LoadedModel, opened: Opener, bits: int) -> None:
    tiles = np.repeat(noise(16, 16, 1, bits), 3, axis=2)[None].repeat(2, axis=0)
    pixels = opened(model).run(tiles, np.array([True, False])).pixels
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

    model = in_torch(model)
    module_of(model).register_forward_hook(flatten)
    return model


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_output_that_is_not_finite_is_a_fault(model: LoadedModel, opened: Opener, value: float) -> None:
    output = opened(broken(model, fill(value))).run(photo("coffee", 16, 16)[None], colour())
    assert output.faults == ("not finite",)


def test_one_bad_pixel_in_one_channel_is_a_fault_of_its_item_only(model: LoadedModel) -> None:
    def spoil(_: object, __: object, output: Tensor) -> Tensor:
        output[1, 2, 3, 4] = float("inf")
        return output

    model = in_torch(model)
    module_of(model).register_forward_hook(spoil)
    tiles = np.stack([noise(16, 16, 3, seed=i) for i in range(3)])
    assert on_cpu(model).run(tiles, colour(3)).faults == (None, "not finite", None)


@pytest.mark.parametrize("value", [5.0, -5.0])
def test_all_white_or_all_black_output_is_a_fault(model: LoadedModel, opened: Opener, value: float) -> None:
    output = opened(broken(model, fill(value))).run(photo("coffee", 16, 16)[None], colour())
    assert output.faults == ("collapsed to a flat value",)


def test_a_flat_colour_is_a_fault_although_its_channels_differ(model: LoadedModel) -> None:
    def paint(_: object, __: object, output: Tensor) -> Tensor:
        return torch.tensor([0.2, 0.5, 0.9]).view(1, 3, 1, 1).expand_as(output).clone()

    model = in_torch(model)
    module_of(model).register_forward_hook(paint)
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
        RuntimeError("Exception from infer_request.cpp:224:\n[CPU] node failed: Failed to allocate 9 bytes"),
        RuntimeError("[GPU] Exceeded max size of memory object allocation: requested 9 bytes"),
        RuntimeError("[GPU] Exceeded max size of memory allocation: Required 9 bytes, available 8 bytes"),
        RuntimeError("[GPU] out of GPU resources"),
        RuntimeError("[GPU] clEnqueueNDRangeKernel, error code: -5 CL_OUT_OF_RESOURCES"),
        RuntimeError("[GPU] CL_MEM_OBJECT_ALLOCATION_FAILURE"),
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
    model = in_torch(model)
    TorchNetwork(model, cpu_device(), "bfloat16")
    assert {p.dtype for p in module_of(model).parameters()} == {torch.float32}
    assert len(module_of(model)._forward_hooks) == 0
