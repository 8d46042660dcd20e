"""Load and temperature of a device, if it has sensors for them."""

from dataclasses import dataclass
from typing import Any, Protocol

import psutil

from pixelmend.engine.devices.device import Device


@dataclass(frozen=True, slots=True)
class SensorReading:
    """None: the device has no such sensor. lost: the sensors should answer and do not."""

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
    """Metal gives no readings without privileges."""

    def read(self) -> SensorReading:
        return SensorReading(None, None)


class HostSensors:
    """Those of the CPU."""

    def __init__(self) -> None:
        psutil.cpu_percent(interval=None)  # the first reading counts from now

    def read(self) -> SensorReading:
        # Only Linux and FreeBSD have this function.
        sensors = psutil.sensors_temperatures() if hasattr(psutil, "sensors_temperatures") else {}
        hottest = max((t.current for sensor in sensors.values() for t in sensor), default=None)
        return SensorReading(psutil.cpu_percent(interval=None), hottest)


class NvmlSensors:
    """Those of an NVIDIA device, found by its bus address: NVML counts devices that CUDA_VISIBLE_DEVICES
    hides.
    """

    def __init__(self, device: Device) -> None:
        from pixelmend.engine.devices.cuda import bus_id_of

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
            self._handle = None  # the driver was replaced, or the device is gone
            return SensorReading(None, None, lost=True)
        return SensorReading(busy, heat)


def _number(read: Any) -> float | None:
    """None for a sensor that the board does not have. Raises NVMLError if the device does not answer."""
    import pynvml

    try:
        return float(read())
    except pynvml.NVMLError_NotSupported:
        return None
