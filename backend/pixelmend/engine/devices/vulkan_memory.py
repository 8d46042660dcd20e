"""The memory of a Vulkan device: what its driver lets this process have, or the machine's own."""

import gc

from pixelmend.engine.devices.device import Device
from pixelmend.engine.devices.memory import DeviceMemory, HostMemory, MemoryReading
from pixelmend.engine.devices.vulkan import budget_bytes, vulkan_devices


def vulkan_memory(device: Device) -> DeviceMemory:
    """Integrated graphics and software drivers use the machine's memory."""
    return HostMemory() if vulkan_devices()[device.index].shared else VulkanMemory(device)


class VulkanMemory:
    """The budget shrinks when other programs use the device. Vulkan does not tell what this process has, so
    that the model cache's own account is what counts for that.
    """

    shared = False

    def __init__(self, device: Device) -> None:
        self._device = device

    def read(self) -> MemoryReading:
        budget = budget_bytes(self._device.index)
        capacity = max(self._device.total_bytes, budget)
        return MemoryReading(capacity, budget, 0)

    def trim(self) -> None:
        gc.collect()  # a network's memory is returned when the last reference to it goes
