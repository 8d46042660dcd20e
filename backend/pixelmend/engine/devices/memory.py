"""How much memory a device has, what is free of it, and what our models hold (docs/adr/0012-memory.md)."""

import contextlib
import ctypes
import gc
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

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
    """RAM, as much as the machine and this process's control group (v2) give.

    own_bytes counts from when this object was made, and leaves out what PyTorch takes if it is imported
    later, so that libraries are not counted as models.
    """

    shared = True

    def __init__(
        self, cgroup_root: Path = Path("/sys/fs/cgroup"), membership: Path = Path("/proc/self/cgroup")
    ) -> None:
        self._process = psutil.Process()
        self._groups = _own_groups(cgroup_root, membership)
        self._start_bytes = self._taken_bytes()

    def read(self) -> MemoryReading:
        host = psutil.virtual_memory()
        capacity, free = host.total, host.available
        for group in self._groups:
            limit = _number(group / "memory.max")
            if limit is not None:
                capacity = min(capacity, limit)
                free = min(free, max(0, limit - _working_set(group)))
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


def _own_groups(root: Path, membership: Path) -> list[Path]:
    """The process's group and its parents, each of which may have a limit. Empty without cgroup v2."""
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    own = next((line[3:].strip("/") for line in lines if line.startswith("0::")), None)
    if own is None:
        return []
    leaf = root / own
    groups = [leaf, *(parent for parent in leaf.parents if parent.is_relative_to(root))]
    return [group for group in groups if (group / "memory.max").is_file()]


def _working_set(group: Path) -> int:
    """What a group uses, without the file cache that the kernel drops before it refuses memory."""
    current = _number(group / "memory.current") or 0
    with contextlib.suppress(OSError, ValueError):
        for line in (group / "memory.stat").read_text(encoding="ascii").splitlines():
            name, _, value = line.partition(" ")
            if name == "inactive_file":
                return max(0, current - int(value))
    return current


def _number(path: Path) -> int | None:
    """None for "max", and if there is no such file."""
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
