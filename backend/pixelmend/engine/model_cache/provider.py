"""From a model's name to a network that runs, with what it will take of the device's memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from pixelmend.core.errors import ModelUnusable
from pixelmend.engine.backends.network import DeviceNetwork, TileNetwork
from pixelmend.engine.backends.selection import open_network
from pixelmend.engine.backends.torch import TorchNetwork
from pixelmend.engine.device import Device, cpu_device
from pixelmend.engine.loader import LoadedModel
from pixelmend.engine.model_cache.call_size import SMALLEST_CALL_PX
from pixelmend.engine.model_cache.inspection import Finding, Findings
from pixelmend.engine.model_cache.memory_profile import FigureKey, LearnedFigures
from pixelmend.engine.model_cache.peak_memory import Meter, MeteredNetwork, gauge_of
from pixelmend.engine.precision import Precision
from pixelmend.engine.resilience import SaferNetwork, Tiling
from pixelmend.imaging.tile_rules import TileRules, WidthCost
from pixelmend.models.catalog import Catalog, ModelEntry, ModelTask, wrong_task
from pixelmend.models.description import ExecutionProfile

UNLEARNED_BYTES_PER_PX = 13_000
"""In FP32, before anything was measured: what RRDBNet takes, the hungriest of the common networks."""
HOST_COPIES = 3
"""Times its FP32 weights that a model takes in RAM: as read, as a graph, and as its executor packs them."""
BYTES_PER_VALUE: dict[Precision, int] = {"float32": 4, "float16": 2, "bfloat16": 2}
_PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16", "float16")


@dataclass(frozen=True, slots=True)
class ModelKey:
    """What tells open models apart. sixteen_bit: in FP32, for pictures of 16 bits."""

    id: str
    denoise: float | None = None
    sixteen_bit: bool = False


@dataclass(frozen=True, slots=True)
class NetworkFigures:
    """What is known of the memory of one network in one precision."""

    learned: LearnedFigures
    key: FigureKey
    unlearned_bytes_per_px: float

    @property
    def learned_bytes_per_px(self) -> float | None:
        return self.learned.bytes_per_px(self.key)

    def bytes_for(self, px: int) -> int:
        """What a call of `px` pixels takes beyond the weights."""
        learned = self.learned.bytes_per_px(self.key, px)
        return round(px * (self.unlearned_bytes_per_px if learned is None else learned))

    def next_step_px(self, first_px: int) -> int:
        """The largest call that may be tried; `first_px` before anything was measured."""
        return max(first_px, self.learned.largest_step_px(self.key) or 0)


@dataclass(frozen=True, slots=True)
class OpenNetwork:
    """A model on its device. `note` says what was given up when it was opened (a precision, the device)."""

    model: LoadedModel
    network: DeviceNetwork
    safer: tuple[SaferNetwork, ...]
    tiling: Tiling
    note: str | None
    weights_bytes: int
    figures: NetworkFigures


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that could be opened, and what is expected of it.

    bytes_for: what a call of so many pixels takes beyond the weights. open: raises ModelUnusable,
    DeviceMemoryError.
    """

    weights_bytes: int
    bytes_for: Callable[[int], int]
    open: Callable[[], OpenNetwork]

    @property
    def least_bytes(self) -> int:
        """What it needs to run at all: its weights and the smallest tile."""
        return self.weights_bytes + self.bytes_for(SMALLEST_CALL_PX)


class Stock(Protocol):
    """Where models come from."""

    def offer(self, key: ModelKey, task: ModelTask | None = None) -> Offer:
        """Reads no weights. Raises UnknownModel, ModelUnusable, and InvalidParameter where the model is known
        to be for another task than the one given.
        """
        ...

    def entries(self) -> Iterator[ModelEntry]:
        """Every model with a file."""
        ...

    def known(self, entry: ModelEntry) -> Finding:
        """What reading its file has shown."""
        ...

    def note_profile(self, model_id: str, execution_profile: ExecutionProfile) -> None:
        """To be known after the model was let go."""
        ...


def tile_rules(tiling: Tiling, largest_tile_px: int | None, cost: WidthCost) -> TileRules:
    return TileRules(
        tiling.overlap_px, tiling.blend_px, tiling.multiple_of, tiling.minimum_px, largest_tile_px, cost
    )


class CatalogStock:
    """The catalog's models on one device.

    read_catalog: called whenever a model is wanted, so that files dropped in meanwhile count.
    """

    def __init__(
        self,
        read_catalog: Callable[[], Catalog],
        device: Device,
        precision: Precision | None,
        learned: LearnedFigures,
    ) -> None:
        self._read_catalog = read_catalog
        self._device = device
        self._precision = precision
        self._learned = learned
        self._meter = Meter(gauge_of(device))
        self._findings = Findings()

    def entries(self) -> Iterator[ModelEntry]:
        return (entry for entry in self._read_catalog().entries if entry.present)

    def known(self, entry: ModelEntry) -> Finding:
        return self._findings.of(entry)

    def note_profile(self, model_id: str, execution_profile: ExecutionProfile) -> None:
        self._findings.note_profile(self._read_catalog().get(model_id), execution_profile)

    def offer(self, key: ModelKey, task: ModelTask | None = None) -> Offer:
        catalog = self._read_catalog()
        entry = catalog.usable(key.id) if task is None else catalog.for_task(key.id, task)
        found = self._findings.of(entry).task
        if task is not None and found not in (None, task):
            raise wrong_task(key.id, found)
        file_bytes = entry.path.stat().st_size
        requested = "float32" if key.sixteen_bit else self._precision
        # The precision is chosen by what the weights are for, which is not known before they are read.
        possible = (requested,) if requested else _PRECISIONS
        figures = [self._figures(key.id, file_bytes, precision) for precision in possible]
        known = [f for f in figures if f.learned_bytes_per_px is not None] or figures[:1]
        weights = [self._learned.weights_bytes(f.key) for f in known]
        return Offer(
            weights_bytes=max(w or self._weights_bytes(file_bytes, requested or "float32") for w in weights),
            bytes_for=lambda px: max(f.bytes_for(px) for f in known),
            open=lambda: self._open(catalog, key, file_bytes, requested),
        )

    def _open(
        self, catalog: Catalog, key: ModelKey, file_bytes: int, requested: Precision | None
    ) -> OpenNetwork:
        model = self._findings.load(catalog, key.id, key.denoise)
        try:
            network, note = open_network(model, self._device, requested)
        except ModelUnusable as error:
            self._findings.blame(catalog.get(key.id), error)
            raise
        values = sum(p.numel() for p in model.architecture.network.state_dict().values())
        # A network of another library has no tensors of ours; its file is as large as they are.
        weights_bytes = self._weights_bytes(4 * values or file_bytes, network.precision)
        figures = self._figures(key.id, file_bytes, network.precision)
        self._learned.has_weights(figures.key, weights_bytes)
        # A fall-back to another device is not of this device's memory.
        here = network.device.type == self._device.type
        metered = MeteredNetwork(network, self._meter, partial(self._learned.measured, figures.key))
        demands = model.architecture
        tiling = Tiling(
            model.overlap_px,
            model.blend_px,
            demands.multiple_of,
            demands.minimum_px,
            splittable=demands.task == "upscale",
        )
        if key == ModelKey(key.id):  # the form that most pictures are computed in
            profile = ExecutionProfile(network.precision, tile_rules(tiling, None, network.width_cost))
            self._findings.note_profile(catalog.get(key.id), profile)
        return OpenNetwork(
            model=model,
            network=metered if here else network,
            safer=tuple(self._safer(model, network)),
            tiling=tiling,
            note=note,
            weights_bytes=weights_bytes if here else 0,
            figures=figures,
        )

    def _safer(self, model: LoadedModel, network: DeviceNetwork) -> Iterator[SaferNetwork]:
        """The same device in FP32, then the CPU in FP32."""

        def on(device: Device) -> Callable[[], TileNetwork]:
            return partial(TorchNetwork, model, device, "float32")

        if (network.device.type, network.precision) != (self._device.type, "float32"):
            yield SaferNetwork(on(self._device), "other-precision")
        if self._device.type != "cpu" and network.device.type != "cpu":
            yield SaferNetwork(on(cpu_device()), "other-device")

    def _figures(self, model_id: str, file_bytes: int, precision: Precision) -> NetworkFigures:
        key = FigureKey(model_id, file_bytes, self._device.name, precision)
        return NetworkFigures(self._learned, key, UNLEARNED_BYTES_PER_PX * BYTES_PER_VALUE[precision] / 4)

    def _weights_bytes(self, float32_bytes: int, precision: Precision) -> int:
        """On the device, by what the weights take in FP32."""
        if self._device.type == "cpu":
            return HOST_COPIES * float32_bytes
        return float32_bytes * BYTES_PER_VALUE[precision] // 4
