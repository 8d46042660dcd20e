"""Which number format a model runs in, and how close its results have to be to FP32."""

from typing import Literal

import torch

from pixelmend.engine.devices.device import Device

Precision = Literal["float32", "float16", "bfloat16"]

MIN_PSNR_DB = 45.0
"""A reduced precision must stay this close to FP32 on a probe tile; sound ones measured 55 dB and more."""


def torch_dtype(precision: Precision) -> torch.dtype:
    return {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}[precision]


def preferred_precision(device: Device, *, allows_half: bool, allows_bfloat16: bool) -> Precision:
    """The fastest precision that `device` has hardware for and the model allows."""
    if device.type == "cuda":
        # Before Volta (sm_70) half arithmetic is emulated or runs at a fraction of FP32's rate.
        major, _ = torch.cuda.get_device_capability(device.index)
        if major < 7:
            return "float32"
        if allows_half:
            return "float16"
        return "bfloat16" if allows_bfloat16 and major >= 8 else "float32"
    if device.type == "mps":
        return "float16" if allows_half else "float32"
    if not allows_bfloat16:
        return "float32"
    features = torch.cpu.get_capabilities()
    return "bfloat16" if features.get("amx_bf16") or features.get("avx512_bf16") else "float32"


def psnr_db(a: torch.Tensor, b: torch.Tensor) -> float:
    """Peak signal-to-noise ratio of two tensors in [0, 1]; infinite if they are equal."""
    error = torch.mean((a.double() - b.double()) ** 2).item()
    return float("inf") if error == 0 else -10.0 * float(torch.log10(torch.tensor(error)))
