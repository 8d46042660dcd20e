"""GPUs of Intel, as OpenVINO's GPU plugin finds them; the CPU's plugin by the same way, to try it out."""

from typing import TYPE_CHECKING, Any

from pixelmend.core.errors import InvalidParameter
from pixelmend.engine.devices.device import Device, cpu_device

if TYPE_CHECKING:
    import openvino as ov

_DRIVER = "apt-get install intel-opencl-icd; in a container, pass the device: --device /dev/dri"


def device(name: str) -> Device:
    """name: cpu, gpu or gpu.N. Raises InvalidParameter if it is not there, or OpenVINO is not."""
    plugin = name.upper()
    try:
        core = _core()
    except ImportError as error:
        raise InvalidParameter(f"device=openvino:{name}, but OpenVINO cannot be loaded: {error}") from error
    found = [each for each in core.available_devices if each.startswith(plugin.partition(".")[0])]
    if not found:
        raise InvalidParameter(f"device=openvino:{name}, but OpenVINO finds no driver of Intel's: {_DRIVER}")
    if plugin == "CPU":
        return _described(core, plugin, 0)
    index = int(plugin.partition(".")[2] or 0)
    if index >= len(found):
        raise InvalidParameter(f"device=openvino:{name}, but OpenVINO finds {len(found)} of Intel's GPUs")
    return _described(core, found[index], index)


def find_device() -> Device | None:
    """The first GPU that is not a part of the CPU, else the first one."""
    try:
        core = _core()
        gpus = [name for name in core.available_devices if name.startswith("GPU")]
        found = [_described(core, name, index) for index, name in enumerate(gpus)]
    except (ImportError, RuntimeError):  # a driver that is there and does not answer is not taken by itself
        return None
    return next((each for each in found if not uses_host_memory(each)), next(iter(found), None))


def uses_host_memory(found: Device) -> bool:
    """Whether its memory is the machine's."""
    import openvino.properties.device as properties

    return bool(_core().get_property(found.plugin, properties.type()) == properties.Type.INTEGRATED)


def computes_float16(found: Device) -> bool:
    """Whether it does; the CPU's plugin takes bfloat16 instead on most CPUs."""
    return "FP16" in _core().get_property(found.plugin, "OPTIMIZATION_CAPABILITIES")


def _core() -> "ov.Core":
    """Raises ImportError."""
    import openvino as ov

    return ov.Core()


def _described(core: Any, plugin: str, index: int) -> Device:
    name = str(core.get_property(plugin, "FULL_DEVICE_NAME")).strip()
    if plugin == "CPU":
        host = cpu_device()
        return Device("openvino", index, name, host.total_bytes, plugin=plugin)
    total = int(core.get_property(plugin, "GPU_DEVICE_TOTAL_MEM_SIZE"))
    return Device("openvino", index, name, total, plugin=plugin)
