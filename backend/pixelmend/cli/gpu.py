"""`pixelmend gpu`: devices, memory, utilisation, temperature, and what the running service has of them."""

from dataclasses import dataclass
from typing import Any

import psutil
import pynvml
from rich.console import Console
from rich.table import Table

from pixelmend.cli.running import RunningService


@dataclass(frozen=True, slots=True)
class DeviceReading:
    """None if the device does not tell."""

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


def show_devices(service: RunningService, console: Console) -> None:
    """Raises what the service refuses with."""
    table = Table("device", "memory", "busy", "temperature")
    for device in read_devices():
        used = f"{_gib(device.used_bytes or 0)} of {_gib(device.total_bytes or 0)} GiB"
        table.add_row(device.name, used, _percent(device.utilisation_percent), _heat(device.temperature_c))
    console.print(table)
    answer = service.ask("GET", "/api/memory", points="0")
    if answer is None:
        console.print(f"no service answers at {service.url}, so no models are loaded", highlight=False)
    elif not any(device["now"] for device in answer["devices"]):
        _show_loaded(service, console)
    else:
        for device in answer["devices"]:
            if device["now"] is not None:
                _show_memory(service.url, device, console)


def _show_loaded(service: RunningService, console: Console) -> None:
    """Where nothing was sampled: the monitor is off, or the worker is starting."""
    models = (service.ask("GET", "/api/models") or {"models": []})["models"]
    names = [f"{model['id']} ({model['precision']})" for model in models if model["loaded"]]
    console.print(f"loaded at {service.url}: {', '.join(names) or 'none'}", highlight=False)


def _show_memory(url: str, device: dict[str, Any], console: Console) -> None:
    now = device["now"]
    table = Table("model", "precision", "memory", "jobs", "idle", "kept by")
    for model in now["models"]:
        keepers = [*(["pin"] if model["pinned"] else []), *model["profiles"]]
        table.add_row(
            model["model"],
            model["precision"],
            f"{model['bytes'] / 1e6:.0f} MB",
            str(model["leases"]),
            f"{model['idle_s']:.0f} s",
            ", ".join(keepers) or "-",
        )
    console.print(
        f"at {url}, {device['name']}: models take {_gib(now['accounted_bytes'])} GiB; the device has "
        f"{_gib(now['device_used_bytes'])} of {_gib(now['device_capacity_bytes'])} GiB in use, "
        f"and models may fill {_gib(now['ceiling_bytes'])}",
        highlight=False,
        soft_wrap=True,
    )
    console.print(table)
    for alert in device["raised"]:
        console.print(f"alert: {alert['message']}", style="red", highlight=False, markup=False)


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} %"


def _heat(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} °C"
