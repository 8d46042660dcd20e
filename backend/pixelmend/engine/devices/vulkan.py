"""The GPUs that have a Vulkan driver, as ncnn finds them."""

from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1 << 20
_SOFTWARE = 3
"""ncnn's type of a device whose driver computes on the CPU, such as Mesa's lavapipe."""
_INTEGRATED = 1
_RENDER_NODES = Path("/dev/dri")


@dataclass(frozen=True, slots=True)
class VulkanDevice:
    """budget_bytes: what the driver lets this process have now. shared: its memory is the machine's."""

    index: int
    name: str
    budget_bytes: int
    software: bool
    shared: bool


def vulkan_devices() -> list[VulkanDevice]:
    """Empty if ncnn or a driver is missing. Opens Vulkan in this process, which takes a while."""
    try:
        import ncnn
    except ImportError:
        return []
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
    """What the driver lets this process have of the device's memory, what it has already included."""
    import ncnn

    return int(ncnn.get_gpu_device(index).get_heap_budget()) * MEGABYTE


def may_have_vulkan() -> bool:
    """Whether looking for a device is worth the time: without a render node there is no real one."""
    return any(_RENDER_NODES.glob("renderD*")) if _RENDER_NODES.exists() else False
