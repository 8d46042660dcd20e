"""Devices by OpenVINO's plugins. GPUs are pretended, since none is here; the CPU's plugin is the real one."""

import sys
from pathlib import Path
from typing import Any

import pytest

from pixelmend.core.config import Settings
from pixelmend.core.errors import InvalidParameter
from pixelmend.engine.devices import openvino, other_gpus, vulkan
from pixelmend.engine.devices.device import Device, choose_device, cpu_device
from pixelmend.engine.devices.memory import HostMemory, memory_of
from pixelmend.engine.devices.precision import preferred_precision

VULKAN = Device("vulkan", 0, "a GPU", 1 << 30)
INTEL = Device("openvino", 0, "Arc", 1 << 30, plugin="GPU.0")


class PretendCore:
    """What OpenVINO tells of graphics in the CPU and of a card."""

    available_devices = ("CPU", "GPU.0", "GPU.1")

    def get_property(self, plugin: str, name: str) -> Any:
        import openvino.properties.device as properties

        if name == properties.type():
            return properties.Type.INTEGRATED if plugin == "GPU.0" else properties.Type.DISCRETE
        return {
            "OPTIMIZATION_CAPABILITIES": ["FP32", "FP16"],
            "FULL_DEVICE_NAME": f"Intel {plugin}",
            "GPU_DEVICE_TOTAL_MEM_SIZE": {"GPU.0": 4, "GPU.1": 8}.get(plugin, 0) << 30,
        }[name]


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino, "_core", PretendCore)


def test_the_cpus_plugin_can_be_asked_for() -> None:
    device = choose_device("openvino:cpu")
    assert (device.type, device.plugin, device.name) == ("openvino", "CPU", cpu_device().name)
    assert device.total_bytes == cpu_device().total_bytes
    assert isinstance(memory_of(device), HostMemory)
    by_half = "float16" if openvino.computes_float16(device) else "float32"
    assert preferred_precision(device, allows_half=True, allows_bfloat16=True) == by_half
    assert preferred_precision(device, allows_half=False, allows_bfloat16=True) == "float32"


def test_without_a_driver_it_is_said_what_to_do() -> None:
    with pytest.raises(
        InvalidParameter, match="finds no driver of Intel's: apt-get install intel-opencl-icd"
    ):
        choose_device("openvino:gpu")


def test_without_openvino_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)  # an import of it fails
    with pytest.raises(InvalidParameter, match="device=openvino:gpu, but OpenVINO cannot be loaded"):
        choose_device("openvino:gpu")
    assert openvino.find_device() is None


def test_gpus_are_counted(two_gpus: None) -> None:
    card = Device("openvino", 1, "Intel GPU.1", 8 << 30, plugin="GPU.1")
    assert choose_device("openvino:gpu").plugin == "GPU.0"
    assert choose_device("openvino:gpu.1") == card
    with pytest.raises(InvalidParameter, match=r"openvino:gpu\.2, but OpenVINO finds 2 of Intel's GPUs"):
        choose_device("openvino:gpu.2")
    assert openvino.find_device() == card


def test_gpus_compute_in_float16_what_allows_it(two_gpus: None) -> None:
    device = choose_device("openvino:gpu")
    assert preferred_precision(device, allows_half=True, allows_bfloat16=True) == "float16"
    assert preferred_precision(device, allows_half=False, allows_bfloat16=True) == "float32"


def test_a_card_has_memory_of_its_own(two_gpus: None) -> None:
    memory = memory_of(choose_device("openvino:gpu.1"))
    assert (memory.shared, memory.read().capacity_bytes, memory.read().own_bytes) == (False, 8 << 30, 0)
    assert isinstance(memory_of(choose_device("openvino:gpu.0")), HostMemory)


@pytest.mark.parametrize(
    ("by_vulkan", "is_intel", "by_openvino", "taken"),
    [
        (None, False, None, None),
        (VULKAN, False, None, VULKAN),
        (VULKAN, False, INTEL, VULKAN),  # a card of AMD's beside graphics in the CPU
        (VULKAN, True, INTEL, INTEL),
        (VULKAN, True, None, VULKAN),
        (None, False, INTEL, INTEL),
    ],
)
def test_auto_takes_openvino_where_vulkan_would_take_intels(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    by_vulkan: Device | None,
    is_intel: bool,
    by_openvino: Device | None,
    taken: Device | None,
) -> None:
    monkeypatch.setattr(other_gpus, "_RENDER_NODES", tmp_path)
    monkeypatch.setattr(vulkan, "find_device", lambda: by_vulkan)
    monkeypatch.setattr(vulkan, "is_intel", lambda _: is_intel)
    monkeypatch.setattr(openvino, "find_device", lambda: by_openvino)
    assert other_gpus.find_device() is None  # no render node
    (tmp_path / "renderD128").touch()
    assert other_gpus.find_device() == taken


@pytest.mark.parametrize(
    "name", ["openvino:gpu", "openvino:gpu.1", "openvino:cpu", "openvino:gpu.0,openvino:gpu.1"]
)
def test_the_setting_takes_its_names(name: str) -> None:
    assert Settings(_env_file=None, device=name).device == name


@pytest.mark.parametrize("name", ["openvino", "openvino:npu", "openvino:gpu,openvino:gpu"])
def test_the_setting_takes_no_others(name: str) -> None:
    with pytest.raises(ValueError, match="device"):
        Settings(_env_file=None, device=name)
