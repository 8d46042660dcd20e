"""Which device computes, and what it is called. PyTorch is only asked if there may be a GPU."""

import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import psutil

from pixelmend.core.errors import InvalidParameter
from pixelmend.engine.devices.control_groups import allowed_cores, memory_groups

DeviceType = Literal["cuda", "mps", "openvino", "vulkan", "cpu"]
DEVICE_NAMES = "auto, cpu, mps, cuda, cuda:N, vulkan, vulkan:N, openvino:gpu, openvino:gpu.N, openvino:cpu"
_WELL_FORMED = re.compile(r"auto|cpu|mps|(cuda|vulkan)(:[0-9]+)?|openvino:(cpu|gpu(\.[0-9]+)?)")

CPU_INFO = Path("/proc/cpuinfo")
_NVIDIA_NODES = ("nvidia[0-9c]*", "dxg", "nvhost-gpu", "nvgpu")
"""What drivers make in Linux's /dev: NVIDIA's, that of Windows' subsystem, two for NVIDIA's Tegra."""
_AMD_NODE = "kfd"
"""Also there for the graphics that come with a CPU."""


@dataclass(frozen=True, slots=True)
class Device:
    """A compute device. `note` says why it was chosen, if that matters. plugin: OpenVINO's name of it, if
    OpenVINO computes on it.
    """

    type: DeviceType
    index: int
    name: str
    total_bytes: int
    note: str | None = None
    plugin: str = "CPU"

    @property
    def torch_name(self) -> str:
        """What PyTorch calls it."""
        return f"cuda:{self.index}" if self.type == "cuda" else self.type


def choose_device(requested: str) -> Device:
    """The device for `requested`: one of DEVICE_NAMES.

    auto takes the CUDA device with the most free memory, else MPS, else a GPU that OpenVINO or Vulkan has a
    driver for, else the CPU, and says so when a GPU seems to be there but cannot be used. Raises
    InvalidParameter if a named device is absent: an operator who asks for a GPU must not get a silent CPU.
    """
    if not _WELL_FORMED.fullmatch(requested):
        raise InvalidParameter(f"device={requested!r} is not one of {DEVICE_NAMES}")
    kind, _, rest = requested.partition(":")
    if kind == "cpu":
        return cpu_device()
    from pixelmend.engine.devices import openvino, other_gpus, vulkan  # they stand on this module

    if kind == "openvino":
        return openvino.device(rest)
    if kind == "vulkan":
        return vulkan.device(int(rest or 0))
    if kind == "auto" and not gpu_is_possible():
        return other_gpus.find_device() or cpu_device()
    try:
        # Here, because importing PyTorch takes seconds and hundreds of megabytes.
        from pixelmend.engine.devices import cuda, mps
    except ImportError as error:
        if kind == "auto":
            why = f"GPUs are not used, since PyTorch cannot be loaded: {error}"
            return other_gpus.find_device() or cpu_device(note=why)
        raise InvalidParameter(f"device={requested}, but PyTorch cannot be loaded: {error}") from error
    if kind == "auto":
        metal_or_cuda = cuda.emptiest_device() or mps.find_device()
        return metal_or_cuda or other_gpus.find_device() or cpu_device(note=cuda.why_unusable())
    if kind == "cuda":
        count, index = cuda.count(), int(rest or 0)
        if index >= count:
            raise InvalidParameter(f"device={requested}, but PyTorch finds {count} CUDA devices")
        return cuda.device(index)
    metal = mps.find_device()
    if metal is None:
        raise InvalidParameter("device=mps, but PyTorch finds no Metal device on this machine")
    return metal


def gpu_is_possible(devices: Path = Path("/dev"), system: str = sys.platform) -> bool:
    """False if this machine certainly has no GPU that PyTorch could use; does not import it."""
    if system != "linux" or any(next(devices.glob(node), None) is not None for node in _NVIDIA_NODES):
        return True
    return (devices / _AMD_NODE).exists() and "rocm" in _version_of("torch")


def cpu_device(note: str | None = None) -> Device:
    limits = (group.limit_bytes() for group in memory_groups())
    total = min([psutil.virtual_memory().total, *(limit for limit in limits if limit is not None)])
    return Device("cpu", 0, _cpu_name(), total, note)


def physical_cores() -> int:
    """Cores this process may use, without hyper-threads: as its affinity and its control groups allow."""
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    if hasattr(psutil.Process, "cpu_affinity"):
        cores = min(cores, len(psutil.Process().cpu_affinity() or []) or cores)
    return max(1, min(cores, allowed_cores() or cores))


def cpu_fields(info: Path = CPU_INFO) -> Mapping[str, str]:
    """What Linux tells of the first CPU; empty on other systems."""
    try:
        first, *_ = info.read_text(encoding="utf-8", errors="replace").split("\n\n", 1)
    except OSError:
        return {}
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _cpu_name() -> str:
    return cpu_fields().get("model name") or platform.processor() or platform.machine()
