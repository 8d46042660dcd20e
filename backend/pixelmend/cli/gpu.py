"""`pixelmend gpu`: devices, memory, utilisation, temperature, and what the running service has of them."""

from dataclasses import asdict, dataclass
from typing import Any

import psutil
import pynvml
from rich.console import Console
from rich.table import Table

from pixelmend.cli.running import RunningService
from pixelmend.tasks.options import FILL


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
    found = read_service(service)
    if found is None:
        console.print(f"no service answers at {service.url}, so no models are loaded")
        return
    _show_service(found, console)
    if not any(device["now"] for device in found.memory["devices"]):
        _show_loaded(found, console)
    for device in found.memory["devices"]:
        if device["now"] is not None:
            _show_memory(found.url, device, console)


def as_json(service: RunningService) -> dict[str, Any]:
    """The same as values. `service` is null if none answers. Raises what it refuses with."""
    found = read_service(service)
    return {
        "devices": [asdict(device) for device in read_devices()],
        "service": found
        and {
            "url": found.url,
            "instance": found.memory["instance"],
            "initialised": found.is_initialised,
            "models": {"loaded": found.loaded, "present": len(found.models)},
            "management": {name: setting["value"] for name, setting in found.settings.items()},
            "devices": found.memory["devices"],
        },
    }


@dataclass(frozen=True, slots=True)
class ServiceReading:
    """What a service answers. models: those with a network whose files are there."""

    url: str
    memory: dict[str, Any]
    models: list[dict[str, Any]]
    settings: dict[str, dict[str, Any]]

    @property
    def is_initialised(self) -> bool:
        """Every device has a worker that is ready."""
        return all(device["name"] for device in self.memory["devices"])

    @property
    def loaded(self) -> int:
        return sum(model["loaded"] for model in self.models)


def read_service(service: RunningService) -> ServiceReading | None:
    """None if no service answers. Raises what it refuses with."""
    memory = service.ask("GET", "/api/memory", points="0")
    models = service.ask("GET", "/api/models")
    management = service.ask("GET", "/api/management")
    if memory is None or models is None or management is None:
        return None
    networks = [model for model in models["models"] if model["present"] and model["id"] != FILL]
    return ServiceReading(service.url, memory, networks, management["settings"])


def _show_service(found: ServiceReading, console: Console) -> None:
    value = {name: setting["value"] for name, setting in found.settings.items()}
    instance = found.memory["instance"]
    idle = value["idle_timeout_minutes"]
    facts = {
        "service": f"{found.url} ({instance['id']})",
        "initialised": "yes" if found.is_initialised else "no: a worker is starting",
        "models loaded": f"{found.loaded} of {len(found.models)}",
        "clean-up": _switch(
            value["auto_cleanup_enabled"], f"above {value['cleanup_threshold_percent']:g} % of the memory"
        ),
        "ceiling": f"models may fill {value['max_memory_usage_percent']:g} % of the memory",
        "monitor": _switch(
            value["memory_monitoring_enabled"], f"every {value['memory_monitoring_interval']:g} s"
        ),
        "life cycle": f"unused models are unloaded after {idle:g} min" if idle else "unused models stay",
    }
    table = Table(box=None, show_header=False)
    for name, text in facts.items():
        table.add_row(name, text)
    console.print(table)


def _switch(is_on: bool, detail: str) -> str:
    return f"on, {detail}" if is_on else "off"


def _show_loaded(found: ServiceReading, console: Console) -> None:
    """Used if nothing was sampled: the monitor is off, or the worker is starting."""
    names = [f"{model['id']} ({model['precision']})" for model in found.models if model["loaded"]]
    console.print(f"loaded at {found.url}: {', '.join(names) or 'none'}")


def _show_memory(url: str, device: dict[str, Any], console: Console) -> None:
    now = device["now"]
    table = Table("model", "precision", "memory", "jobs", "idle", "kept by")
    for model in now["models"]:
        keepers = [*(["pin"] if model["pinned"] else []), *model["profiles"]]
        dials = [f"{dial} {model[dial]:g}" for dial in ("denoise", "detail") if model.get(dial) is not None]
        table.add_row(
            ", ".join([model["model"], *dials]),
            model["precision"],
            f"{model['bytes'] / 1e6:.0f} MB",
            str(model["leases"]),
            f"{model['idle_s']:.0f} s",
            ", ".join(keepers) or "-",
        )
    console.print(
        f"at {url}, {device['device']}, {device['name']}, {_percent(now['utilisation_percent'])} busy: "
        f"models take {_gib(now['accounted_bytes'])} GiB; the device has {_gib(now['device_used_bytes'])} of "
        f"{_gib(now['device_capacity_bytes'])} GiB in use, and models may fill {_gib(now['ceiling_bytes'])}",
        soft_wrap=True,
    )
    console.print(table)
    for alert in device["raised"]:
        console.print(f"alert: {alert['message']}", style="red")


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} %"


def _heat(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} °C"
