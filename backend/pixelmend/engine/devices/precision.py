"""Which number format a model runs in, and how close its results have to be to FP32."""

import math
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pixelmend.engine.devices.device import CPU_INFO, Device, cpu_fields

Precision = Literal["float32", "float16", "bfloat16"]

MIN_PSNR_DB = 45.0
"""A reduced precision must stay this close to FP32 on a probe tile; sound ones measured 55 dB and more."""

BFLOAT16_FEATURES = ("amx_bf16", "avx512_bf16")
"""Features of CPUs, as Linux calls them. CPUs without them compute bfloat16 more slowly than float32."""


def preferred_precision(
    device: Device, *, allows_half: bool, allows_bfloat16: bool, cpu_info: Path = CPU_INFO
) -> Precision:
    """The fastest precision that `device` has hardware for and the model allows."""
    if device.type == "cuda":
        from pixelmend.engine.devices.cuda import compute_capability

        # Before Volta (sm_70) half arithmetic is emulated or runs at a fraction of FP32's rate.
        major, _ = compute_capability(device.index)
        if major < 7:
            return "float32"
        if allows_half:
            return "float16"
        return "bfloat16" if allows_bfloat16 and major >= 8 else "float32"
    if device.type in ("mps", "vulkan"):
        return "float16" if allows_half else "float32"
    if device.type == "openvino":
        from pixelmend.engine.devices.openvino import computes_float16

        return "float16" if allows_half and computes_float16(device) else "float32"
    return "bfloat16" if allows_bfloat16 and computes_bfloat16(cpu_info) else "float32"


def computes_bfloat16(cpu_info: Path = CPU_INFO) -> bool:
    """Whether the CPU does. False on other systems than Linux."""
    return not set(BFLOAT16_FEATURES).isdisjoint(cpu_fields(cpu_info).get("flags", "").split())


def has_amx(cpu_info: Path = CPU_INFO) -> bool:
    """Whether the CPU multiplies matrices of bfloat16 as such. False on other systems than Linux."""
    return "amx_bf16" in cpu_fields(cpu_info).get("flags", "").split()


def psnr_db(a: NDArray[Any], b: NDArray[Any], peak: float = 255.0) -> float:
    """Peak signal-to-noise ratio of two arrays in [0, peak]; infinite if they are equal."""
    error = float(np.mean((a.astype(np.float64) - b) ** 2)) / peak**2
    return math.inf if error == 0 else -10 * math.log10(error)
