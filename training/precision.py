"""The number format in which a device trains fastest."""

import torch

from pixelmend.engine.devices.precision import computes_bfloat16


def fast_dtype(device: torch.device) -> torch.dtype:
    """bfloat16, or float32 on a CPU without it: there a step in bfloat16 took 9 times as long."""
    return torch.bfloat16 if device.type != "cpu" or computes_bfloat16() else torch.float32


def autocast(device: torch.device, dtype: torch.dtype) -> torch.autocast:
    """Networks compute in dtype, float32 or bfloat16."""
    return torch.autocast(device.type, torch.bfloat16, enabled=dtype == torch.bfloat16)
