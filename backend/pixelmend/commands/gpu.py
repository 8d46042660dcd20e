"""`pixelmend gpu`: devices, memory, utilisation, temperature, and what a running service has loaded."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass

import psutil
import pynvml


@dataclass(frozen=True, slots=True)
class DeviceReading:
    """None where the device does not tell."""

    name: str
    used_bytes: int | None
    total_bytes: int | None
    utilisation_percent: float | None
    temperature_c: float | None


def read_devices() -> list[DeviceReading]:
    """NVIDIA devices through NVML (no CUDA context is made), then this machine's CPU and memory."""
    return [*_nvidia(), _cpu()]


def _nvidia() -> list[DeviceReading]:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []  # no driver, hence no NVIDIA device to speak of
    try:
        return [_read(pynvml.nvmlDeviceGetHandleByIndex(i)) for i in range(pynvml.nvmlDeviceGetCount())]
    finally:
        pynvml.nvmlShutdown()


def _read(handle: object) -> DeviceReading:
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    return DeviceReading(
        name=str(pynvml.nvmlDeviceGetName(handle)),
        used_bytes=int(memory.used),
        total_bytes=int(memory.total),
        utilisation_percent=_number(lambda: pynvml.nvmlDeviceGetUtilizationRates(handle).gpu),
        temperature_c=_number(lambda: pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU)),
    )


def _number(read: object) -> float | None:
    try:
        return float(read())  # type: ignore[operator]
    except pynvml.NVMLError:  # not every board has every sensor
        return None


def _cpu() -> DeviceReading:
    memory = psutil.virtual_memory()
    # Only Linux and FreeBSD have this function.
    sensors = psutil.sensors_temperatures() if hasattr(psutil, "sensors_temperatures") else {}
    hottest = max((t.current for sensor in sensors.values() for t in sensor), default=None)
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    return DeviceReading(
        name=f"CPU, {cores} cores",
        used_bytes=memory.total - memory.available,
        total_bytes=memory.total,
        utilisation_percent=psutil.cpu_percent(interval=0.2),
        temperature_c=hottest,
    )


def loaded_models(base_url: str, timeout_s: float = 2.0) -> list[str] | None:
    """Ids and precisions of what the service at `base_url` has loaded; None where none answers."""
    try:
        with urllib.request.urlopen(f"{base_url}/api/models", timeout=timeout_s) as response:  # noqa: S310
            models = json.load(response)["models"]
    except (urllib.error.URLError, OSError, ValueError, KeyError):
        return None
    return [f"{model['id']} ({model['precision']})" for model in models if model["loaded"]]
