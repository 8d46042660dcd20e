"""A device whose bytes are counted, and models that take them, for tests of who may stay open."""

import gc
import itertools
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pixelmend.core.errors import DeviceMemoryError, UnknownModel
from pixelmend.core.telemetry import Logger
from pixelmend.engine.backends.network import NetworkOutput, Tiles
from pixelmend.engine.devices.device import Device
from pixelmend.engine.devices.memory import MemoryReading
from pixelmend.engine.devices.precision import Precision
from pixelmend.engine.model_cache.cache import ModelCache
from pixelmend.engine.model_cache.eviction import MemoryLimits
from pixelmend.engine.model_cache.inspection import Inspection
from pixelmend.engine.model_cache.memory_profile import MemoryProfile, MemoryProfileKey, MemoryProfiles
from pixelmend.engine.model_cache.provider import LoadPlan, ModelKey, OpenNetwork
from pixelmend.engine.recovery.policy import RecoveryPolicy
from pixelmend.engine.recovery.tiling import Tiling
from pixelmend.engine.weights.architecture import Architecture, LoadedModel
from pixelmend.engine.weights.compact import CompactNetwork, NetworkConfig
from pixelmend.imaging.tile_rules import WidthCost
from pixelmend.models.catalog import ModelEntry, ModelTask
from pixelmend.models.description import ExecutionProfile

DEVICE = Device("cpu", 0, "a device that counts", 0)
SMALLEST_PX = 64**2
MODEL = LoadedModel(
    "any",
    "0" * 64,
    Architecture("Compact", CompactNetwork(NetworkConfig(8, 1, 2), {}), 2, 1, 1, 3, True, True),
)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class CountingDevice:
    """`others_bytes` belong to other programs. Allocations end when what holds them is collected."""

    def __init__(self, capacity_bytes: int, *, shared: bool = False) -> None:
        self.capacity_bytes = capacity_bytes
        self.shared = shared
        self.others_bytes = 0
        self.trimmed = threading.Semaphore(0)
        self._ids = itertools.count()
        self._held: dict[int, int] = {}

    @property
    def own_bytes(self) -> int:
        return sum(self._held.values())

    def read(self) -> MemoryReading:
        free = self.capacity_bytes - self.own_bytes - self.others_bytes
        return MemoryReading(self.capacity_bytes, max(0, free), self.own_bytes)

    def trim(self) -> None:
        gc.collect()
        self.trimmed.release()

    def allocate(self, holder: object, size_bytes: int) -> None:
        if size_bytes > self.read().free_bytes:
            raise DeviceMemoryError(f"{size_bytes} bytes, {self.read().free_bytes} are free")
        name = next(self._ids)
        self._held[name] = size_bytes
        weakref.finalize(holder, self._held.pop, name)


class CountingNetwork:
    """Repeats pixels; holds its weights, and what a pixel takes while it computes."""

    device = DEVICE
    precision: Precision = "float32"
    scale = 2
    label = "float32 on a device that counts"

    def __init__(self, memory: CountingDevice, weights_bytes: int, bytes_per_px: float) -> None:
        self._memory = memory
        self._bytes_per_px = bytes_per_px
        self.calls_px: list[int] = []
        self.releases = 0
        memory.allocate(self, weights_bytes)

    width_cost = WidthCost()

    def run(self, tiles: Tiles, grey: NDArray[np.bool_]) -> NetworkOutput:
        px = tiles.shape[0] * tiles.shape[1] * tiles.shape[2]
        needed = round(px * self._bytes_per_px)
        if needed > self._memory.read().free_bytes:
            raise DeviceMemoryError(f"{needed} bytes for {px} px")
        self.calls_px.append(px)
        return NetworkOutput(tiles.repeat(2, axis=1).repeat(2, axis=2), (None,) * len(tiles))

    def release_memory(self) -> None:
        self.releases += 1


class CountingProvider:
    """Models by name: bytes of their weights. With `surprises`, those turn out to be so many more; `hungrier`
    times as much as expected goes for pixels.
    """

    def __init__(self, memory: CountingDevice, models: dict[str, int], bytes_per_px: float = 0.01) -> None:
        self.memory = memory
        self.models = models
        self.bytes_per_px = bytes_per_px
        self.surprises: dict[str, int] = {}
        self.hungrier = 1
        self.memory_profiles = MemoryProfiles(None, Logger())
        self.opened: list[str] = []
        self.execution_profile: dict[str, ExecutionProfile] = {}
        self.entered = threading.Semaphore(0)
        self.has_cpu = False
        self.gates: dict[str, threading.Event] = {}

    def entries(self) -> Iterator[ModelEntry]:
        for name in self.models:
            yield ModelEntry(name, name, "upscale", Path(name), "dropped-in")

    def inspection(self, entry: ModelEntry) -> Inspection:
        return Inspection(execution_profile=self.execution_profile.get(entry.id))

    def record_execution_profile(self, model_id: str, execution_profile: ExecutionProfile) -> None:
        self.execution_profile[model_id] = execution_profile

    def load_plan(self, key: ModelKey, task: ModelTask | None = None) -> LoadPlan:
        assert task in (None, "upscale")
        if key.id not in self.models:
            raise UnknownModel(f"model={key.id!r} is not known")
        weights = self.models[key.id]
        elsewhere = (lambda because: self._open_on_cpu(key, because)) if self.has_cpu else None
        return LoadPlan(weights, self._memory_profile(key).bytes_for, lambda: self._open(key), elsewhere)

    def _memory_profile(self, key: ModelKey) -> MemoryProfile:
        return MemoryProfile(self.memory_profiles, self.profile_key(key.id), self.bytes_per_px)

    def profile_key(self, name: str) -> MemoryProfileKey:
        return MemoryProfileKey(name, 1, DEVICE.name, "float32")

    def _open_on_cpu(self, key: ModelKey, because: str) -> OpenNetwork:
        self.opened.append(f"{key.id} on the CPU")
        network = CountingNetwork(CountingDevice(10**9), 0, 0)
        note = f"computed on the CPU: {because}"
        return OpenNetwork(MODEL, network, (), Tiling(8, 0, 1, 1), note, 0, self._memory_profile(key))

    def _open(self, key: ModelKey) -> OpenNetwork:
        self.entered.release()
        if key.id in self.gates:
            assert self.gates[key.id].wait(60)
        weights = self.models[key.id] + self.surprises.get(key.id, 0)
        network = CountingNetwork(self.memory, weights, self.hungrier * self.bytes_per_px)
        self.opened.append(key.id)
        return OpenNetwork(MODEL, network, (), Tiling(8, 0, 1, 1), None, weights, self._memory_profile(key))


def counting(capacity: int = 1000, **models: int) -> tuple[CountingDevice, CountingProvider]:
    """A device of so many bytes, and models of so many."""
    device = CountingDevice(capacity)
    return device, CountingProvider(device, models)


def cache_of(
    provider: CountingProvider,
    clock: Callable[[], float] | None = None,
    limits: MemoryLimits | None = None,
    first_call_px: int = SMALLEST_PX,
    policy: RecoveryPolicy | None = None,
) -> ModelCache:
    """Ceiling 90 %, clean-up above 85 %, idle after half an hour."""
    return ModelCache(
        provider,
        DEVICE,
        provider.memory,
        limits or MemoryLimits(),
        first_call_px=first_call_px,
        policy=policy,
        clock=clock or Clock(),
    )


def open_models(cache: ModelCache) -> set[str]:
    return {model.model for model in cache.read()[2] if not model.leaving}


def use(cache: ModelCache, name: str) -> None:
    cache.release(cache.lease(name))
