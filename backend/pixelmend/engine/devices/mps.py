"""Apple's GPU as PyTorch sees it."""

import gc
import platform

import psutil
import torch

from pixelmend.engine.devices.device import Device
from pixelmend.engine.devices.memory import HostMemory, MemoryReading


def find_device() -> Device | None:
    if not torch.backends.mps.is_available():
        return None
    return Device("mps", 0, f"{platform.processor() or 'Apple'} GPU", psutil.virtual_memory().total)


class MpsMemory:
    """Unified memory. Metal recommends to use only a part of it."""

    shared = True

    def __init__(self) -> None:
        self._host = HostMemory()

    def read(self) -> MemoryReading:
        host = self._host.read()
        own = torch.mps.current_allocated_memory()
        recommended = torch.mps.recommended_max_memory()
        capacity = min(recommended, host.capacity_bytes)
        cached = max(0, torch.mps.driver_allocated_memory() - own)
        return MemoryReading(capacity, max(0, min(host.free_bytes + cached, capacity - own)), own)

    def trim(self) -> None:
        gc.collect()
        torch.mps.empty_cache()
