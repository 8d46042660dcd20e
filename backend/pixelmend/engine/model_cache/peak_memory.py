"""Measures what a forward pass takes of a device's memory beyond what was there before it."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import psutil
from numpy.typing import NDArray

from pixelmend.engine.backends.network import DeviceNetwork, KeepsMemory, NetworkOutput, Tiles
from pixelmend.engine.devices.device import Device
from pixelmend.engine.devices.precision import Precision
from pixelmend.imaging.tile_rules import WidthCost

T = TypeVar("T")

_RESET_PEAK = b"5"  # proc(5): makes VmHWM start from the present size again


class MemoryCounter(Protocol):
    """A counter of bytes in use and of their peak."""

    def now_bytes(self) -> int: ...

    def restart(self) -> None:
        """The peak starts from now."""
        ...

    def peak_bytes(self) -> int: ...


class ProcessCounter:
    """The size of the process, whose peak Linux keeps. It includes what other threads take meanwhile."""

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
        """The present size if the system keeps no peak: libraries mostly keep what they took."""
        try:
            lines = self._status.read_text(encoding="ascii").splitlines()
        except OSError:
            return self.now_bytes()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def memory_counter_of(device: Device) -> MemoryCounter:
    if device.type != "cuda":
        return ProcessCounter()
    from pixelmend.engine.devices.cuda import CudaCounter

    return CudaCounter(device)


class PeakMemoryProbe:
    """One for all networks of a device. While a call is measured, no other runs on the device, since its
    bytes could not be told from those of the measured one; that happens a few times in a network's life.
    """

    def __init__(self, counter: MemoryCounter) -> None:
        self._counter = counter
        self._changed = threading.Condition()
        self._running = 0
        self._measuring = False

    def run(self, work: Callable[[], T]) -> T:
        """Run together with others, but not beside a call that is measured."""
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
        """What `work` returns, by how many bytes memory grew at the peak, and how many of them it keeps."""
        with self._changed:
            self._changed.wait_for(lambda: not self._measuring)
            self._measuring = True  # no other call begins from now on
            self._changed.wait_for(lambda: not self._running)
        try:
            before = self._counter.now_bytes()
            self._counter.restart()
            result = work()
            return result, max(0, self._counter.peak_bytes() - before), self._counter.now_bytes() - before
        finally:
            with self._changed:
                self._measuring = False
                self._changed.notify_all()


class ProbedNetwork:
    """A network whose calls are measured as long as they get larger: a larger call has to take new memory,
    while a smaller one may use what earlier ones have left.
    """

    def __init__(
        self, network: DeviceNetwork, probe: PeakMemoryProbe, on_peak: Callable[[int, int], None]
    ) -> None:
        """on_peak: called with the pixels of a call and the bytes that it took."""
        self._network = network
        self._probe = probe
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
            return self._probe.run(lambda: self._network.run(tiles, grey))
        result, peak, kept = self._probe.measure(lambda: self._network.run(tiles, grey))
        self._on_peak(px, self._kept_bytes + peak)
        self._largest_px = px
        # An executor may keep its buffers for the next call; that call's growth starts from there.
        self._kept_bytes = max(0, self._kept_bytes + kept)
        return result

    def release_memory(self) -> None:
        if isinstance(self._network, KeepsMemory):
            self._network.release_memory()
            self._kept_bytes = 0
