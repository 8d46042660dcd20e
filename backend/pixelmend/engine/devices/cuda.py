"""NVIDIA's devices as PyTorch sees them, and AMD's, if it was built for them."""

import gc
from typing import Any

import torch

from pixelmend.engine.devices.device import Device
from pixelmend.engine.devices.memory import MemoryReading


def count() -> int:
    """The number of devices; 0 if PyTorch cannot use them."""
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def device(index: int) -> Device:
    properties = torch.cuda.get_device_properties(index)
    return Device("cuda", index, properties.name, properties.total_memory)


def emptiest_device() -> Device | None:
    """The one with the most free memory, if there is any."""
    indices = range(count())
    if len(indices) < 2:
        return device(0) if indices else None
    # PyTorch would open a context on each device, which takes half a gigabyte and stays.
    free = free_bytes_of([bus_id_of(index) for index in indices])
    if free is None:
        free = [torch.cuda.mem_get_info(index)[0] for index in indices]
    return device(indices[free.index(max(free))])


def compute_capability(index: int) -> tuple[int, int]:
    return torch.cuda.get_device_capability(index)


def why_unusable() -> str | None:
    """A sentence for the operator when an NVIDIA driver is loaded but PyTorch cannot use it."""
    try:
        import pynvml

        pynvml.nvmlInit()
        found = pynvml.nvmlDeviceGetCount()
        pynvml.nvmlShutdown()
    except Exception:
        return None  # no driver: a CPU machine, nothing to explain
    if found == 0:
        return None
    return f"the NVIDIA driver lists {found} GPUs but PyTorch {torch.__version__} cannot use CUDA"


def bus_id_of(index: int) -> str:
    """The bus address of PyTorch's device `index`, as NVML writes it. Opens no context."""
    properties: Any = torch.cuda.get_device_properties(index)  # its stubs lack the bus
    return f"{properties.pci_domain_id:08x}:{properties.pci_bus_id:02x}:{properties.pci_device_id:02x}.0"


def free_bytes_of(bus_ids: list[str]) -> list[int] | None:
    """Free memory of those devices by NVML, which needs no context on them. None if NVML does not answer."""
    import pynvml

    try:
        pynvml.nvmlInit()
        try:
            handles = [pynvml.nvmlDeviceGetHandleByPciBusId(bus_id) for bus_id in bus_ids]
            return [int(pynvml.nvmlDeviceGetMemoryInfo(handle).free) for handle in handles]
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError:
        return None


class CudaMemory:
    """One CUDA device's own memory."""

    shared = False

    def __init__(self, device: Device) -> None:
        self._device = device

    def read(self) -> MemoryReading:
        free, total = torch.cuda.mem_get_info(self._device.index)
        own = torch.cuda.memory_allocated(self._device.index)
        # PyTorch keeps the memory of freed tensors and gives it to the next ones.
        cached = torch.cuda.memory_reserved(self._device.index) - own
        return MemoryReading(total, free + cached, own)

    def trim(self) -> None:
        gc.collect()
        torch.cuda.empty_cache()


class CudaCounter:
    """PyTorch's allocator: exact."""

    def __init__(self, device: Device) -> None:
        self._index = device.index

    def now_bytes(self) -> int:
        return torch.cuda.memory_allocated(self._index)

    def restart(self) -> None:
        torch.cuda.reset_peak_memory_stats(self._index)

    def peak_bytes(self) -> int:
        return torch.cuda.max_memory_allocated(self._index)
