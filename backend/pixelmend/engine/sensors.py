"""Load and temperature of a device, where it tells them."""

from dataclasses import dataclass
from typing import Any, Protocol

import psutil

from pixelmend.engine.device import Device
from pixelmend.engine.nvml import bus_id_of


@dataclass(frozen=True, slots=True)
class SensorReading:
    """None where the device does not tell. lost: it used to, or should."""

    utilisation_percent: float | None
    temperature_c: float | None
    lost: bool = False


class Sensors(Protocol):
    def read(self) -> SensorReading: ...


def sensors_of(device: Device) -> Sensors:
    if device.type == "cuda":
        return NvmlSensors(device)
    return HostSensors() if device.type == "cpu" else NoSensors()


class NoSensors:
    """Metal tells nothing without privileges."""

    def read(self) -> SensorReading:
        return SensorReading(None, None)


class HostSensors:
    """The CPU's."""

    def __init__(self) -> None:
        psutil.cpu_percent(interval=None)  # from now on

    def read(self) -> SensorReading:
        # Only Linux and FreeBSD have this function.
        sensors = psutil.sensors_temperatures() if hasattr(psutil, "sensors_temperatures") else {}
        hottest = max((t.current for sensor in sensors.values() for t in sensor), default=None)
        return SensorReading(psutil.cpu_percent(interval=None), hottest)


class NvmlSensors:
    """NVIDIA's, by the device's place on the bus: NVML counts devices that CUDA_VISIBLE_DEVICES hides."""

    def __init__(self, device: Device) -> None:
        self._bus_id = bus_id_of(device.index)
        self._handle: Any = None

    def read(self) -> SensorReading:
        import pynvml

        try:
            if self._handle is None:
                pynvml.nvmlInit()
                self._handle = pynvml.nvmlDeviceGetHandleByPciBusId(self._bus_id)
            busy = _number(lambda: pynvml.nvmlDeviceGetUtilizationRates(self._handle).gpu)
            heat = _number(lambda: pynvml.nvmlDeviceGetTemperature(self._handle, pynvml.NVML_TEMPERATURE_GPU))
        except pynvml.NVMLError:
            self._handle = None  # a driver that was replaced, or a device that fell off the bus
            return SensorReading(None, None, lost=True)
        return SensorReading(busy, heat)


def _number(read: Any) -> float | None:
    """None for a sensor that the board does not have. Raises NVMLError where the device does not answer."""
    import pynvml

    try:
        return float(read())
    except pynvml.NVMLError_NotSupported:
        return None
