"""Holds the models of one worker: opened on demand, leased while in use, the oldest unused one let go."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from threading import Lock

from pixelmend.engine.device import Device, cpu_device
from pixelmend.engine.findings import Findings
from pixelmend.engine.loader import LoadedModel
from pixelmend.engine.network import DeviceNetwork, TileNetwork
from pixelmend.engine.opening import open_network
from pixelmend.engine.precision import Precision
from pixelmend.engine.resilience import ResilientRunner, Tiling
from pixelmend.engine.torch_network import TorchNetwork
from pixelmend.errors import ModelUnusable
from pixelmend.imaging.tile_rules import TileRules
from pixelmend.models.catalog import Catalog
from pixelmend.tasks import ModelDescription

KEPT_MODELS = 3
"""Unused models kept open for the next request; the ones in use are not counted."""

_Key = tuple[str, float | None, bool]


@dataclass(slots=True)
class OpenModel:
    """A model ready to run. `note` says what was given up when it was opened (a precision, the device)."""

    key: _Key
    model: LoadedModel
    runner: ResilientRunner
    network: DeviceNetwork
    note: str | None
    leases: int = field(default=0)

    @property
    def tile_rules(self) -> TileRules:
        demands = self.runner.tiling
        return TileRules(
            demands.overlap_px,
            demands.blend_px,
            demands.multiple_of,
            demands.minimum_px,
            self.runner.largest_tile_px,
            self.network.width_cost,
        )


class ModelManager:
    """Built once, by the worker's main; used by all its threads. Opening a model takes seconds: whoever wants
    the same one waits for it, and nobody else does.

    read_catalog: called whenever a model is opened, so that files dropped in meanwhile count.
    """

    def __init__(
        self, read_catalog: Callable[[], Catalog], device: Device, precision: Precision | None
    ) -> None:
        self._read_catalog = read_catalog
        self.device = device
        self._precision = precision
        self._findings = Findings()
        self._lock = Lock()
        self._open: OrderedDict[_Key, OpenModel] = OrderedDict()
        self._opening: dict[_Key, Lock] = {}

    def lease(self, model_id: str, *, denoise: float | None = None, sixteen_bit: bool = False) -> OpenModel:
        """The model, opened if need be, and not let go before `release`.

        sixteen_bit: run in FP32, since reduced precision would band. Raises UnknownModel, ModelUnusable,
        InvalidParameter, DeviceMemoryError.
        """
        key = (model_id, denoise, sixteen_bit)
        with self._lock:
            turn = self._opening.setdefault(key, Lock())
        with turn:
            opened = self._lease_open(key)
            if opened is None:
                try:
                    opened = self._open_model(key)
                finally:
                    with self._lock:
                        self._opening.pop(key, None)
                opened.leases = 1
                with self._lock:
                    self._open[key] = opened
                    self._let_go(KEPT_MODELS)
        return opened

    def _lease_open(self, key: _Key) -> OpenModel | None:
        with self._lock:
            opened = self._open.get(key)
            if opened is not None:
                self._open.move_to_end(key)
                opened.leases += 1
                self._let_go(KEPT_MODELS)
            return opened

    def release(self, opened: OpenModel) -> None:
        with self._lock:
            opened.leases -= 1

    def relieve(self) -> bool:
        """Let go of every model that nobody uses. False where there was none."""
        with self._lock:
            before = len(self._open)
            self._let_go(0)
            return len(self._open) < before

    def describe(self) -> Iterator[ModelDescription]:
        """Every model with a file, loaded or not."""
        with self._lock:
            opened = {o.model.id: o for o in self._open.values()}
        for entry in self._read_catalog().entries:
            if not entry.present:
                continue
            here = opened.get(entry.id)
            known = here.model.architecture if here else None
            found = self._findings.of(entry)
            yield ModelDescription(
                id=entry.id,
                task=found.task or entry.task,
                architecture=known.name if known else found.architecture or entry.architecture,
                scale=known.scale if known else found.scale or entry.scale,
                loaded=here is not None,
                precision=here.network.precision if here else None,
                tile_rules=here.tile_rules if here else None,
                problem=found.problem,
            )

    def _open_model(self, key: _Key) -> OpenModel:
        model_id, denoise, sixteen_bit = key
        catalog = self._read_catalog()
        model = self._findings.load(catalog, model_id, denoise)
        try:
            network, note = open_network(model, self.device, "float32" if sixteen_bit else self._precision)
        except ModelUnusable as error:
            self._findings.blame(catalog.get(model_id), error)
            raise
        # Safer and safer: the same device in FP32, then the CPU in FP32.
        ladder: list[Callable[[], TileNetwork]] = [lambda: network]
        ladder += [partial(TorchNetwork, model, safer, "float32") for safer in self._safer(network)]
        demands = model.architecture
        tiling = Tiling(model.overlap_px, model.blend_px, demands.multiple_of, demands.minimum_px)
        return OpenModel(key, model, ResilientRunner(tiling, ladder, self.relieve), network, note)

    def _safer(self, network: DeviceNetwork) -> list[Device]:
        used = (network.device.type, network.precision)
        steps = [self.device] if self.device.type != "cpu" else []
        return [d for d in [*steps, cpu_device()] if (d.type, "float32") != used]

    def _let_go(self, keep: int) -> None:
        unused = [key for key, opened in self._open.items() if opened.leases == 0]
        for key in unused[: max(0, len(unused) - keep)]:
            del self._open[key]
