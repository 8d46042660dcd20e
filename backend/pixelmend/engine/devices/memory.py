"""How much memory a device has, what is free of it, and what our models hold (docs/adr/0012-memory.md)."""

import contextlib
import ctypes
import gc
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import psutil

from pixelmend.engine.devices.control_groups import MemoryGroup, memory_groups
from pixelmend.engine.devices.device import Device

PYTORCH_BYTES = 300_000_000
"""What importing PyTorch takes; measured with 2.15."""


@dataclass(frozen=True, slots=True)
class MemoryReading:
    """free_bytes: what we could still have. own_bytes: what our models hold, by measurement."""

    capacity_bytes: int
    free_bytes: int
    own_bytes: int

    @property
    def used_bytes(self) -> int:
        return self.capacity_bytes - self.free_bytes


class DeviceMemory(Protocol):
    """`shared`: other programs use the same memory, as on a CPU. What they use does not limit a model as long
    as there is enough left.
    """

    @property
    def shared(self) -> bool: ...

    def read(self) -> MemoryReading:
        """May be called from any thread, a few hundred times a second."""
        ...

    def trim(self) -> None:
        """Return freed memory to the device."""
        ...


def memory_of(device: Device) -> DeviceMemory:
    match device.type:
        case "cuda":
            from pixelmend.engine.devices.cuda import CudaMemory

            return CudaMemory(device)
        case "mps":
            from pixelmend.engine.devices.mps import MpsMemory

            return MpsMemory()
        case "vulkan":
            from pixelmend.engine.devices.vulkan_memory import vulkan_memory

            return vulkan_memory(device)
        case "openvino":
            from pixelmend.engine.devices.openvino_memory import openvino_memory

            return openvino_memory(device)
        case "cpu":
            return HostMemory()


class HostMemory:
    """RAM, as much as the machine and this process's control groups give.

    own_bytes counts from when this object was made, and leaves out what PyTorch takes if it is imported
    later, so that libraries are not counted as models.
    """

    shared = True

    def __init__(self, groups: Sequence[MemoryGroup] | None = None) -> None:
        """groups: those of this process, unless they are given."""
        self._process = psutil.Process()
        self._groups = memory_groups() if groups is None else groups
        self._start_bytes = self._taken_bytes()

    def read(self) -> MemoryReading:
        host = psutil.virtual_memory()
        capacity, free = host.total, host.available
        for group in self._groups:
            limit = group.limit_bytes()
            if limit is not None:
                capacity = min(capacity, limit)
                free = min(free, max(0, limit - group.used_bytes()))
        return MemoryReading(capacity, free, max(0, self._taken_bytes() - self._start_bytes))

    def _taken_bytes(self) -> int:
        # Pages of files, such as libraries, count as free memory: the kernel can drop them.
        memory = self._process.memory_info()
        mapped = getattr(memory, "shared", 0)  # not on every system
        return int(memory.rss - mapped - (PYTORCH_BYTES if "torch" in sys.modules else 0))

    def trim(self) -> None:
        gc.collect()
        if sys.platform == "linux":
            # glibc keeps freed memory; the libraries of other systems have no such call.
            with contextlib.suppress(OSError, AttributeError):
                ctypes.CDLL(None).malloc_trim(0)
