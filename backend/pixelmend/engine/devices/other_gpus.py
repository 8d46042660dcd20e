"""Which GPU `auto` takes if there is neither CUDA nor Metal: docs/adr/0026-intel-gpus.md."""

from pathlib import Path

from pixelmend.engine.devices import openvino, vulkan
from pixelmend.engine.devices.device import Device

_RENDER_NODES = Path("/dev/dri")


def find_device() -> Device | None:
    """A real GPU with a Vulkan driver; if that is Intel's, or there is none, what OpenVINO computes on."""
    # Opening either takes a while, and without a render node there is no GPU of its own.
    if not any(_RENDER_NODES.glob("renderD*")):
        return None
    found = vulkan.find_device()
    if found is not None and not vulkan.is_intel(found):
        return found
    return openvino.find_device() or found
