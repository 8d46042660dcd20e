"""Which device computes, and what it is called."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil
import torch

from pixelmend.core.errors import InvalidParameter

DeviceType = Literal["cuda", "mps", "cpu"]

_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")


@dataclass(frozen=True, slots=True)
class Device:
    """A compute device. `note` says why it was chosen, if that matters."""

    type: DeviceType
    index: int
    name: str
    total_bytes: int
    note: str | None = None

    @property
    def torch_name(self) -> str:
        """What PyTorch calls it."""
        return f"cuda:{self.index}" if self.type == "cuda" else self.type


def choose_device(requested: str) -> Device:
    """The device for `requested`: auto, cpu, mps, cuda or cuda:N.

    auto takes the CUDA device with the most free memory, else MPS, else the CPU, and says so when a GPU
    seems to be there but cannot be used. Raises InvalidParameter if a named device is absent: an operator
    who asks for a GPU must not get a silent CPU.
    """
    kind, _, index_text = requested.partition(":")
    if kind not in ("auto", "cpu", "mps", "cuda") or (
        ":" in requested and (kind != "cuda" or not index_text.isdecimal())
    ):
        raise InvalidParameter(f"device={requested!r} is not one of auto, cpu, mps, cuda, cuda:N")
    if kind == "cpu":
        return cpu_device()
    if kind == "mps":
        if not torch.backends.mps.is_available():
            raise InvalidParameter("device=mps, but PyTorch finds no Metal device on this machine")
        return _mps_device()
    if kind == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        index = int(index_text or 0)
        if index >= count:
            raise InvalidParameter(f"device={requested}, but PyTorch finds {count} CUDA devices")
        return _cuda_device(index)
    if torch.cuda.is_available():
        return _cuda_device(_emptiest(range(torch.cuda.device_count())))
    if torch.backends.mps.is_available():
        return _mps_device()
    return cpu_device(note=_why_no_gpu())


def cpu_device(note: str | None = None) -> Device:
    return Device("cpu", 0, _cpu_name(), psutil.virtual_memory().total, note)


def physical_cores() -> int:
    """Cores this process may use: never hyper-threads, and no more than its affinity and its cgroup allow."""
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    if hasattr(psutil.Process, "cpu_affinity"):
        cores = min(cores, len(psutil.Process().cpu_affinity() or []) or cores)
    return max(1, min(cores, _cgroup_cores(_CGROUP_QUOTA) or cores))


def _cgroup_cores(quota_file: Path) -> int | None:
    """Whole cores of a container's CPU quota (cgroup v2). More threads than that would be throttled."""
    try:
        quota, period = quota_file.read_text(encoding="ascii").split()
        return None if quota == "max" else max(1, int(quota) // int(period))
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _cuda_device(index: int) -> Device:
    properties = torch.cuda.get_device_properties(index)
    return Device("cuda", index, properties.name, properties.total_memory)


def _emptiest(indices: Sequence[int]) -> int:
    """The CUDA device with the most free memory."""
    if len(indices) == 1:
        return indices[0]
    from pixelmend.engine.devices.device import bus_id_of, free_bytes_of

    # PyTorch would open a context on each device, which takes half a gigabyte and stays.
    free = free_bytes_of([bus_id_of(index) for index in indices])
    if free is None:
        free = [torch.cuda.mem_get_info(index)[0] for index in indices]
    return indices[free.index(max(free))]


def _mps_device() -> Device:
    return Device("mps", 0, f"{platform.processor() or 'Apple'} GPU", psutil.virtual_memory().total)


def _cpu_name() -> str:
    name = torch.cpu.get_capabilities().get("cpu_name")
    return str(name or platform.processor() or platform.machine())


def _why_no_gpu() -> str | None:
    """A sentence for the operator when an NVIDIA driver is loaded but PyTorch cannot use it."""
    try:
        import pynvml

        pynvml.nvmlInit()
        count = pynvml.nvmlDeviceGetCount()
        pynvml.nvmlShutdown()
    except Exception:
        return None  # no driver: a CPU machine, nothing to explain
    if count == 0:
        return None
    return f"the NVIDIA driver lists {count} GPUs but PyTorch {torch.__version__} cannot use CUDA"


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
