"""The choice of a device, and of a precision for it, on whatever machine the tests run."""

from pathlib import Path

import pytest
import torch

from pixelmend.core.errors import InvalidParameter
from pixelmend.engine.devices.device import (
    DeviceType,
    _cgroup_cores,
    choose_device,
    cpu_device,
    physical_cores,
)
from pixelmend.engine.devices.precision import preferred_precision, psnr_db, torch_dtype


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


@pytest.mark.parametrize("requested", ["tpu", "cuda:x", "cuda:", "cpu:0", "CUDA", "", "auto:1"])
def test_an_unknown_device_is_refused_and_not_taken_for_auto(requested: str) -> None:
    with pytest.raises(InvalidParameter, match=f"device='{requested}' is not one of auto, cpu, mps, cuda"):
        choose_device(requested)


def test_an_absent_device_is_refused_and_not_replaced_by_the_cpu() -> None:
    with pytest.raises(InvalidParameter, match="device=cuda:99, but PyTorch finds"):
        choose_device("cuda:99")


def test_threads_are_bounded_by_the_machine() -> None:
    assert 1 <= physical_cores() <= 4096


@pytest.mark.parametrize(
    ("content", "cores"),
    [("max 100000\n", None), ("250000 100000\n", 2), ("50000 100000\n", 1), ("", None), ("no number", None)],
)
def test_a_containers_quota_bounds_the_cores(tmp_path: Path, content: str, cores: int | None) -> None:
    (tmp_path / "cpu.max").write_text(content)
    assert _cgroup_cores(tmp_path / "cpu.max") == cores


def test_no_quota_file_is_no_quota(tmp_path: Path) -> None:
    assert _cgroup_cores(tmp_path / "cpu.max") is None


@pytest.mark.parametrize(
    ("features", "fast"),
    [
        ({"amx_bf16": True}, True),
        ({"avx512_bf16": True, "amx_bf16": False}, True),
        ({"avx2": True, "avx512_f": True}, False),
        ({}, False),
    ],
)
def test_a_cpu_uses_bfloat16_only_with_hardware_and_leave(
    monkeypatch: pytest.MonkeyPatch, features: dict[str, bool], fast: bool
) -> None:
    device = cpu_device()
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features)
    chosen = preferred_precision(device, allows_half=True, allows_bfloat16=True)
    assert chosen == ("bfloat16" if fast else "float32")
    assert preferred_precision(device, allows_half=True, allows_bfloat16=False) == "float32"


def test_psnr_of_known_errors() -> None:
    zero = torch.zeros(4, 4)
    assert psnr_db(zero, zero) == float("inf")
    assert psnr_db(zero, zero + 0.1) == pytest.approx(20, abs=1e-4)
    assert torch_dtype("float16") == torch.float16
