"""The memory of a device that OpenVINO computes on: its own, or the machine's."""

import gc

from pixelmend.engine.devices.device import Device
from pixelmend.engine.devices.memory import DeviceMemory, HostMemory, MemoryReading
from pixelmend.engine.devices.openvino import uses_host_memory


def openvino_memory(device: Device) -> DeviceMemory:
    """Graphics that are a part of the CPU, and the CPU, use the machine's memory."""
    return HostMemory() if uses_host_memory(device) else OpenVinoMemory(device)


class OpenVinoMemory:
    """OpenVINO tells how much a GPU has, and neither what is free of it nor what this process has: the model
    cache's own account is what counts.
    """

    shared = False

    def __init__(self, device: Device) -> None:
        self._device = device

    def read(self) -> MemoryReading:
        return MemoryReading(self._device.total_bytes, self._device.total_bytes, 0)

    def trim(self) -> None:
        gc.collect()  # a network's memory is returned when the last reference to it goes
