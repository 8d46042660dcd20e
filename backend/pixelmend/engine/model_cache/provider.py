"""From a model's name to a network that runs, and what it will take of the device's memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from pixelmend.core.errors import ModelUnusable
from pixelmend.engine.backends.network import DeviceNetwork, TileNetwork
from pixelmend.engine.backends.selection import open_exact, open_network
from pixelmend.engine.devices.device import Device, cpu_device
from pixelmend.engine.devices.precision import Precision
from pixelmend.engine.model_cache.call_size import SMALLEST_CALL_PX
from pixelmend.engine.model_cache.inspection import Inspection, Inspections
from pixelmend.engine.model_cache.memory_profile import MemoryProfile, MemoryProfileKey, MemoryProfiles
from pixelmend.engine.model_cache.peak_memory import PeakMemoryProbe, ProbedNetwork, memory_counter_of
from pixelmend.engine.recovery.fallback_chain import FallbackNetwork
from pixelmend.engine.recovery.tiling import Tiling
from pixelmend.engine.weights.architecture import LoadedModel, read_model
from pixelmend.imaging.tile_rules import TileRules, WidthCost
from pixelmend.models.catalog import Catalog, ModelEntry, ModelTask, wrong_task
from pixelmend.models.description import ExecutionProfile
from pixelmend.models.dials import UNTURNED, Dials

UNLEARNED_BYTES_PER_PX = 13_000
"""In FP32, before anything was measured: what RRDBNet takes, the hungriest of the common networks."""
HOST_COPIES = 3
"""Times its FP32 weights that a model takes in RAM: as read, as a graph, and as its executor packs them."""
BYTES_PER_VALUE: dict[Precision, int] = {"float32": 4, "float16": 2, "bfloat16": 2}
_PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16", "float16")


@dataclass(frozen=True, slots=True)
class ModelKey:
    """What distinguishes open models. sixteen_bit: in FP32, for images of 16 bits."""

    id: str
    dials: Dials = UNTURNED
    sixteen_bit: bool = False


@dataclass(frozen=True, slots=True)
class OpenNetwork:
    """A model on its device. `note` says what was given up when it was opened (a precision, the device)."""

    model: LoadedModel
    network: DeviceNetwork
    fallbacks: tuple[FallbackNetwork, ...]
    tiling: Tiling
    note: str | None
    weights_bytes: int
    memory_profile: MemoryProfile


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """A model that could be opened, and the memory that it is expected to take.

    bytes_for: what a call of so many pixels takes beyond the weights. open: raises ModelUnusable,
    DeviceMemoryError. open_on_cpu: called with the reason why the device does not compute it; None if the
    device is the CPU.
    """

    weights_bytes: int
    bytes_for: Callable[[int], int]
    open: Callable[[], OpenNetwork]
    open_on_cpu: Callable[[str], OpenNetwork] | None = None

    @property
    def least_bytes(self) -> int:
        """What it needs to run at all: its weights and the smallest tile."""
        return self.weights_bytes + self.bytes_for(SMALLEST_CALL_PX)


class ModelProvider(Protocol):
    """Where models come from."""

    def load_plan(self, key: ModelKey, task: ModelTask | None = None) -> LoadPlan:
        """Reads no weights. Raises UnknownModel, ModelUnusable, and InvalidParameter if the model is known
        to be for another task than the one given.
        """
        ...

    def entries(self) -> Iterator[ModelEntry]:
        """Every model with a file."""
        ...

    def inspection(self, entry: ModelEntry) -> Inspection:
        """What reading its file has shown."""
        ...

    def record_execution_profile(self, model_id: str, execution_profile: ExecutionProfile) -> None:
        """Keep the profile, to be known after the model was closed."""
        ...


def tile_rules(tiling: Tiling, largest_tile_px: int | None, cost: WidthCost) -> TileRules:
    return TileRules(
        tiling.overlap_px,
        tiling.blend_px,
        tiling.multiple_of,
        tiling.minimum_px,
        tiling.minimum_core_px,
        largest_tile_px,
        cost,
    )


class CatalogProvider:
    """The catalog's models on one device.

    read_catalog: called whenever a model is wanted, so that files dropped in meanwhile count. threads: for
    one operation on the CPU.
    """

    def __init__(
        self,
        read_catalog: Callable[[], Catalog],
        device: Device,
        precision: Precision | None,
        memory_profiles: MemoryProfiles,
        threads: int,
    ) -> None:
        self._threads = threads
        self._read_catalog = read_catalog
        self._device = device
        self._precision = precision
        self._memory_profiles = memory_profiles
        self._probe = PeakMemoryProbe(memory_counter_of(device))
        self._inspections = Inspections(partial(read_model, threads=threads))

    def entries(self) -> Iterator[ModelEntry]:
        return (entry for entry in self._read_catalog().entries if entry.present)

    def inspection(self, entry: ModelEntry) -> Inspection:
        return self._inspections.get(entry)

    def record_execution_profile(self, model_id: str, execution_profile: ExecutionProfile) -> None:
        self._inspections.record_execution_profile(self._read_catalog().get(model_id), execution_profile)

    def load_plan(self, key: ModelKey, task: ModelTask | None = None) -> LoadPlan:
        catalog = self._read_catalog()
        entry = catalog.usable(key.id) if task is None else catalog.for_task(key.id, task)
        found = self._inspections.get(entry).task
        if task is not None and found not in (None, task):
            raise wrong_task(key.id, found)
        file_bytes = entry.path.stat().st_size
        requested = "float32" if key.sixteen_bit else self._precision
        # The precision depends on what the weights are for, which is not known before they are read.
        possible = (requested,) if requested else _PRECISIONS
        profiles = [self._memory_profile(key.id, file_bytes, precision) for precision in possible]
        known = [p for p in profiles if p.learned_bytes_per_px is not None] or profiles[:1]
        assumed = self._weights_bytes(file_bytes, requested or "float32")

        def open_on_cpu(because: str) -> OpenNetwork:
            precision: Precision | None = "float32" if key.sixteen_bit else None
            opened = self._open(catalog, key, file_bytes, precision, cpu_device())
            notes = [f"computed on the CPU: {because}", *filter(None, [opened.note])]
            return replace(opened, note="; ".join(notes))

        return LoadPlan(
            weights_bytes=max(profile.weights_bytes or assumed for profile in known),
            bytes_for=lambda px: max(profile.bytes_for(px) for profile in known),
            open=lambda: self._open(catalog, key, file_bytes, requested, self._device),
            open_on_cpu=None if self._device.type == "cpu" else open_on_cpu,
        )

    def _open(
        self,
        catalog: Catalog,
        key: ModelKey,
        file_bytes: int,
        requested: Precision | None,
        device: Device,
    ) -> OpenNetwork:
        model = self._inspections.load(catalog, key.id, key.dials)
        try:
            network, note = open_network(model, device, requested, self._threads)
        except ModelUnusable as error:
            self._inspections.record_unusable(catalog.get(key.id), error)
            raise
        # A network of another library has no tensors of ours; its file is as large as they are.
        float32_bytes = 4 * model.architecture.network.value_count or file_bytes
        weights_bytes = self._weights_bytes(float32_bytes, network.precision)
        profile = self._memory_profile(key.id, file_bytes, network.precision)
        self._memory_profiles.record_weights(profile.key, weights_bytes)
        # A network that fell back to another device takes nothing of this device's memory.
        is_here = network.device.type == self._device.type
        probed = ProbedNetwork(network, self._probe, partial(self._memory_profiles.record_call, profile.key))
        architecture = model.architecture
        tiling = Tiling(
            model.overlap_px,
            model.blend_px,
            architecture.multiple_of,
            architecture.minimum_px,
            model.minimum_core_px,
            splittable=architecture.task == "upscale",
        )
        if key == ModelKey(key.id) and device == self._device:  # the form that most images are computed in
            execution = ExecutionProfile(network.precision, tile_rules(tiling, None, network.width_cost))
            self._inspections.record_execution_profile(catalog.get(key.id), execution)
        return OpenNetwork(
            model=model,
            network=probed if is_here else network,
            fallbacks=tuple(self._fallbacks(model, network)),
            tiling=tiling,
            note=note,
            weights_bytes=weights_bytes if is_here else 0,
            memory_profile=profile,
        )

    def _fallbacks(self, model: LoadedModel, network: DeviceNetwork) -> Iterator[FallbackNetwork]:
        """The same device in FP32, then the CPU in FP32."""

        def on(device: Device) -> Callable[[], TileNetwork]:
            return partial(open_exact, model, device, self._threads)

        if (network.device.type, network.precision) != (self._device.type, "float32"):
            yield FallbackNetwork(on(self._device), "other-precision")
        if self._device.type != "cpu" and network.device.type != "cpu":
            yield FallbackNetwork(on(cpu_device()), "other-device")

    def _memory_profile(self, model_id: str, file_bytes: int, precision: Precision) -> MemoryProfile:
        key = MemoryProfileKey(model_id, file_bytes, self._device.name, precision)
        assumed = UNLEARNED_BYTES_PER_PX * BYTES_PER_VALUE[precision] / 4
        return MemoryProfile(self._memory_profiles, key, assumed)

    def _weights_bytes(self, float32_bytes: int, precision: Precision) -> int:
        """What weights that take so much in FP32 take on the device."""
        if self._device.type == "cpu":
            return HOST_COPIES * float32_bytes
        return float32_bytes * BYTES_PER_VALUE[precision] // 4
