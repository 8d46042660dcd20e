"""GPUs with a Vulkan driver, as ncnn finds them: AMD's, Intel's, NVIDIA's without CUDA."""

from dataclasses import dataclass

from pixelmend.core.errors import InvalidParameter
from pixelmend.engine.devices.device import Device

MEGABYTE = 1 << 20
_INTEGRATED, _SOFTWARE = 1, 3
"""ncnn's types of a device that uses the machine's memory, and of a driver that computes on the CPU, such as
Mesa's lavapipe."""
_INTEL = 0x8086


@dataclass(frozen=True, slots=True)
class VulkanDevice:
    """budget_bytes: what the driver lets this process have. shared: its memory is the machine's."""

    index: int
    name: str
    budget_bytes: int
    software: bool
    shared: bool


def device(index: int) -> Device:
    """The device that is named. Raises InvalidParameter if it is not there, or ncnn is not."""
    try:
        found = vulkan_devices()
    except ImportError as error:
        raise InvalidParameter(f"device=vulkan, but ncnn cannot be loaded: {error}") from error
    if index >= len(found):
        raise InvalidParameter(f"device=vulkan:{index}, but there are {len(found)} Vulkan devices")
    return _described(found[index])


def find_device() -> Device | None:
    """The first real GPU; a software driver is slower than the CPU by itself."""
    try:
        return next((_described(each) for each in vulkan_devices() if not each.software), None)
    except ImportError:
        return None


def is_intel(found: Device) -> bool:
    """Whether Intel made it."""
    import ncnn

    return int(ncnn.get_gpu_info(found.index).vendor_id()) == _INTEL


def vulkan_devices() -> list[VulkanDevice]:
    """All of them, real or software. Opens Vulkan in this process. Raises ImportError without ncnn."""
    import ncnn

    found = []
    for index in range(ncnn.get_gpu_count()):
        info = ncnn.get_gpu_info(index)
        found.append(
            VulkanDevice(
                index,
                info.device_name(),
                budget_bytes(index),
                software=info.type() == _SOFTWARE,
                shared=info.type() in (_INTEGRATED, _SOFTWARE),
            )
        )
    return found


def budget_bytes(index: int) -> int:
    """What the driver lets this process have of the device's memory, what it has included."""
    import ncnn

    return int(ncnn.get_gpu_device(index).get_heap_budget()) * MEGABYTE


def _described(found: VulkanDevice) -> Device:
    return Device("vulkan", found.index, found.name, found.budget_bytes)
