"""How devices and libraries say that memory ran out."""

from collections.abc import Iterator
from contextlib import contextmanager

from pixelmend.core.errors import DeviceMemoryError
from pixelmend.engine.devices.device import Device

_SIGNS = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "alloc_failed",
    "failed to allocate",
    "bad_alloc",
    "exceeded max size of memory",
    "out of gpu resources",
    "cl_out_of_",
    "cl_mem_object_allocation_failure",
)
"""CUDA and Metal; the CPU's allocator on Linux and Windows; cuDNN and cuBLAS; OpenVINO, last on GPUs."""


@contextmanager
def translating_memory_errors(device: Device) -> Iterator[None]:
    """Turn every device's error for "out of memory" into DeviceMemoryError."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        signs = [line for line in str(error).splitlines() if any(sign in line.lower() for sign in _SIGNS)]
        if not isinstance(error, MemoryError) and not signs:
            raise
        raise DeviceMemoryError(f"{device.name}: {signs[0] if signs else first_line(error)}") from error


def first_line(error: BaseException) -> str:
    """The first line that says what is wrong: those of OpenVINO say before it in which source they stand."""
    lines = (line for line in str(error).splitlines() if line and not line.startswith("Exception from "))
    return next(lines, type(error).__name__)
