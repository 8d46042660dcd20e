"""The choice of a device, and of a precision for it, on whatever machine the tests run."""

import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from pixelmend.core.errors import InvalidParameter
from pixelmend.engine.devices import device as device_module
from pixelmend.engine.devices.device import (
    DeviceType,
    choose_device,
    cpu_device,
    gpu_is_possible,
    physical_cores,
)
from pixelmend.engine.devices.precision import computes_bfloat16, has_amx, preferred_precision, psnr_db


def test_the_cpu_can_always_be_asked_for() -> None:
    device = choose_device("cpu")
    assert (device.type, device.torch_name) == ("cpu", "cpu")
    assert device.name
    assert device.total_bytes > 0


def test_auto_is_the_best_there_is() -> None:
    expected: DeviceType = "cpu"
    if torch.cuda.is_available():
        expected = "cuda"
    elif torch.backends.mps.is_available():
        expected = "mps"
    assert choose_device("auto").type == expected


@pytest.mark.parametrize(
    "requested",
    [
        *("tpu", "cuda:x", "cuda:", "cpu:0", "CUDA", "", "auto:1", "vulkan:", "vulkan:x"),
        *("openvino", "openvino:", "openvino:npu", "openvino:gpu.", "openvino:gpu:0", "openvino:cpu.0"),
    ],
)
def test_an_unknown_device_is_refused_and_not_taken_for_auto(requested: str) -> None:
    with pytest.raises(InvalidParameter, match=f"device='{requested}' is not one of auto, cpu, mps, cuda"):
        choose_device(requested)


def test_an_absent_device_is_refused_and_not_replaced_by_the_cpu() -> None:
    with pytest.raises(InvalidParameter, match="device=cuda:99, but PyTorch finds"):
        choose_device("cuda:99")


def test_threads_are_bounded_by_the_machine() -> None:
    assert 1 <= physical_cores() <= 4096


@pytest.mark.parametrize(
    ("features", "fast"),
    [
        ("flags\t\t: fpu avx2 amx_bf16 amx_tile", True),
        ("model name\t: one: of many\nflags\t\t: avx512f avx512_bf16", True),
        ("flags\t\t: fpu avx2 avx512f", False),
        ("bugs\t\t: avx512_bf16", False),
        ("Features\t: fp asimd bf16", False),
        ("flags\t\t: fpu\n\nprocessor : 1\nflags\t\t: avx512_bf16", False),
        ("", False),
        (None, False),
    ],
)
def test_a_cpu_uses_bfloat16_only_with_hardware_and_leave(
    tmp_path: Path, features: str | None, fast: bool
) -> None:
    device, cpu_info = cpu_device(), tmp_path / "cpuinfo"
    if features is not None:
        cpu_info.write_text(features)
    chosen = partial(preferred_precision, device, allows_half=True, cpu_info=cpu_info)
    assert chosen(allows_bfloat16=True) == ("bfloat16" if fast else "float32")
    assert chosen(allows_bfloat16=False) == "float32"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell it elsewhere")
def test_the_cpus_features_are_those_that_pytorch_finds() -> None:
    found = torch.cpu.get_capabilities()
    assert computes_bfloat16() == bool(found.get("amx_bf16") or found.get("avx512_bf16"))
    assert has_amx() == bool(found.get("amx_bf16"))
    assert cpu_device().name == found.get("cpu_name", cpu_device().name)


@pytest.mark.parametrize("node", ["nvidia0", "nvidiactl", "dxg", "nvhost-gpu"])
def test_pytorch_is_asked_for_a_gpu_if_a_driver_has_made_its_device(tmp_path: Path, node: str) -> None:
    for other in ("null", "nvidia-caps", "nvram", "kvm"):
        (tmp_path / other).touch()
    assert not gpu_is_possible(tmp_path, "linux")
    (tmp_path / node).touch()
    assert gpu_is_possible(tmp_path, "linux")


def test_an_amd_gpu_counts_if_pytorch_was_built_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kfd").touch()
    for version, possible in (("2.15.0+cu132", False), ("2.15.0+rocm7.1", True)):
        monkeypatch.setattr(device_module, "version", lambda _, found=version: found)
        assert gpu_is_possible(tmp_path, "linux") == possible


def test_other_systems_than_linux_are_asked(tmp_path: Path) -> None:
    assert gpu_is_possible(tmp_path, "darwin")


def test_a_gpu_that_pytorch_is_missing_for_is_said_and_a_named_one_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("pixelmend.engine.devices.cuda", "pixelmend.engine.devices.mps"):
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.delattr(f"pixelmend.engine.devices.{name.rpartition('.')[2]}", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)  # an import of it fails
    monkeypatch.setattr(device_module, "gpu_is_possible", lambda: True)
    device = choose_device("auto")
    assert device.type == "cpu"
    assert device.note is not None
    assert "GPUs are not used, since PyTorch cannot be loaded" in device.note
    with pytest.raises(InvalidParameter, match="device=cuda, but PyTorch cannot be loaded"):
        choose_device("cuda")


def test_psnr_of_known_errors() -> None:
    zero = np.zeros((4, 4))
    assert psnr_db(zero, zero) == float("inf")
    assert psnr_db(zero, zero + 25.5) == pytest.approx(20, abs=1e-4)
    assert psnr_db(np.zeros(1, np.uint8), np.full(1, 255, np.uint8)) == 0
