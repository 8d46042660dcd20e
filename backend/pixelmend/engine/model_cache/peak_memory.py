"""Measures what a forward pass takes of a device's memory beyond what was there before it."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import psutil
import torch
from numpy.typing import NDArray

from pixelmend.engine.backends.network import DeviceNetwork, NetworkOutput, Tiles
from pixelmend.engine.device import Device
from pixelmend.engine.precision import Precision
from pixelmend.imaging.tile_rules import WidthCost

T = TypeVar("T")

_RESET_PEAK = b"5"  # proc(5): makes VmHWM start from the present size again


class Gauge(Protocol):
    """A counter of bytes in use and of their peak."""

    def now_bytes(self) -> int: ...

    def restart(self) -> None:
        """The peak starts from now."""
        ...

    def peak_bytes(self) -> int: ...


class CudaGauge:
    """PyTorch's allocator: exact."""

    def __init__(self, device: Device) -> None:
        self._index = device.index

    def now_bytes(self) -> int:
        return torch.cuda.memory_allocated(self._index)

    def restart(self) -> None:
        torch.cuda.reset_peak_memory_stats(self._index)

    def peak_bytes(self) -> int:
        return torch.cuda.max_memory_allocated(self._index)


class ProcessGauge:
    """The size of the process, of which Linux keeps a peak. What other threads take meanwhile is in it."""

    def __init__(self, status: Path = Path("/proc/self/status")) -> None:
        self._status = status
        self._process = psutil.Process()

    def now_bytes(self) -> int:
        return self._process.memory_info().rss

    def restart(self) -> None:
        try:
            self._status.with_name("clear_refs").write_bytes(_RESET_PEAK)
        except OSError:
            self._status = Path("/nonexistent")  # a peak from before would be counted as this call's

    def peak_bytes(self) -> int:
        """The present size where the system keeps no peak: libraries mostly keep what they took."""
        try:
            lines = self._status.read_text(encoding="ascii").splitlines()
        except OSError:
            return self.now_bytes()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def gauge_of(device: Device) -> Gauge:
    return CudaGauge(device) if device.type == "cuda" else ProcessGauge()


class Meter:
    """One for all networks of a device. A call that is measured is alone on the device, or whose bytes they
    were could not be told; that happens a few times in a network's life.
    """

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge
        self._changed = threading.Condition()
        self._running = 0
        self._measuring = False

    def run(self, work: Callable[[], T]) -> T:
        """Together with others, but not with one that is measured."""
        with self._changed:
            self._changed.wait_for(lambda: not self._measuring)
            self._running += 1
        try:
            return work()
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def measure(self, work: Callable[[], T]) -> tuple[T, int, int]:
        """What `work` returns; by how many bytes memory grew at the peak, and remained grown after it."""
        with self._changed:
            self._changed.wait_for(lambda: not self._measuring)
            self._measuring = True  # nobody begins any more
            self._changed.wait_for(lambda: not self._running)
        try:
            before = self._gauge.now_bytes()
            self._gauge.restart()
            result = work()
            return result, max(0, self._gauge.peak_bytes() - before), self._gauge.now_bytes() - before
        finally:
            with self._changed:
                self._measuring = False
                self._changed.notify_all()


class MeteredNetwork:
    """A network whose calls are measured as long as they get larger: then it has to take new memory, while
    smaller ones may find what earlier ones have left.
    """

    def __init__(self, network: DeviceNetwork, meter: Meter, on_peak: Callable[[int, int], None]) -> None:
        """on_peak: told the pixels of a call and the bytes that it took."""
        self._network = network
        self._meter = meter
        self._on_peak = on_peak
        self._largest_px = 0
        self._kept_bytes = 0

    @property
    def scale(self) -> int:
        return self._network.scale

    @property
    def label(self) -> str:
        return self._network.label

    @property
    def device(self) -> Device:
        return self._network.device

    @property
    def precision(self) -> Precision:
        return self._network.precision

    @property
    def width_cost(self) -> WidthCost:
        return self._network.width_cost

    def run(self, tiles: Tiles, grey: NDArray[np.bool_]) -> NetworkOutput:
        px = tiles.shape[0] * tiles.shape[1] * tiles.shape[2]
        if px <= self._largest_px:
            return self._meter.run(lambda: self._network.run(tiles, grey))
        result, peak, kept = self._meter.measure(lambda: self._network.run(tiles, grey))
        self._on_peak(px, self._kept_bytes + peak)
        self._largest_px = px
        # An executor may keep its buffers for the next call; that call's growth starts from there.
        self._kept_bytes = max(0, self._kept_bytes + kept)
        return result
