"""What NVIDIA's management library knows of devices, without opening a CUDA context on them."""

from typing import Any

import torch


def bus_id_of(cuda_index: int) -> str:
    """The bus address of PyTorch's device `cuda_index`, as NVML writes it. Opens no context."""
    properties: Any = torch.cuda.get_device_properties(cuda_index)  # its stubs lack the bus
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
