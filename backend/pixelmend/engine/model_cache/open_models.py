"""The open models of a worker, what keeps them open, and the bytes accounted for them. Takes no lock."""

import math
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pixelmend.core.errors import ModelHeld
from pixelmend.engine.backends.network import DeviceNetwork
from pixelmend.engine.model_cache.eviction import Candidate
from pixelmend.engine.model_cache.memory_profile import MemoryProfile
from pixelmend.engine.model_cache.provider import ModelKey, OpenNetwork, tile_rules
from pixelmend.engine.recovery.runner import ResilientRunner
from pixelmend.engine.weights.architecture import LoadedModel
from pixelmend.imaging.tile_rules import TileRules
from pixelmend.models.description import ExecutionProfile
from pixelmend.models.memory import FreedModel, ModelMemory


@dataclass(slots=True, eq=False)
class OpenModel:
    """A model ready to run. A retired model gets no new lease and is closed after the last one.

    tile_bytes: reserved for what it computes, beyond its weights. closed: set when the model has gone.
    seconds_per_px: of a small tile; None if it was not measured.
    """

    key: ModelKey
    opened: OpenNetwork
    runner: ResilientRunner
    tile_bytes: int
    last_used_s: float
    leases: int = 0
    retired: bool = False
    closed: threading.Event = field(default_factory=threading.Event)
    seconds_per_px: float | None = None

    @property
    def model(self) -> LoadedModel:
        return self.opened.model

    @property
    def network(self) -> DeviceNetwork:
        return self.opened.network

    @property
    def note(self) -> str | None:
        return self.opened.note

    @property
    def memory_profile(self) -> MemoryProfile:
        return self.opened.memory_profile

    @property
    def weights_bytes(self) -> int:
        return self.opened.weights_bytes

    @property
    def bytes(self) -> int:
        return self.weights_bytes + self.tile_bytes

    def affordable_tile_px(self, edge_px: int) -> int | None:
        """The longest edge that there is memory for, reserved from now on; None if `edge_px` fits."""
        # If memory is shorter still, tiles that are mostly overlap would not help either.
        tiling = self.runner.tiling
        least_px = min(edge_px, max(4 * tiling.overlap_px, tiling.least_tile_px))
        affordable_px = max(self.runner.limit.tile_edge(edge_px), least_px)
        return affordable_px if affordable_px < edge_px else None

    def tile_rules(self, largest_tile_px: int | None) -> TileRules:
        return tile_rules(self.runner.tiling, largest_tile_px, self.network.width_cost)

    @property
    def execution_profile(self) -> ExecutionProfile:
        """Its tiles are limited by what has failed; no memory is reserved for them."""
        cap_px = self.runner.limit.cap_px
        rules = self.tile_rules(None if cap_px is None else math.isqrt(cap_px))
        return ExecutionProfile(self.network.precision, rules, self.seconds_per_px)


@dataclass(frozen=True, slots=True)
class Hold:
    """A profile's claim on models, by their priorities. yielding: they may be evicted if memory is short, the
    lowest priority first.
    """

    priorities: Mapping[str, int]
    yielding: bool

    @property
    def models(self) -> frozenset[str]:
        return frozenset(self.priorities)


@dataclass(frozen=True, slots=True)
class Retired:
    """A model that gets no new lease. models: its forms. closing: set, one for each form in use, when it is
    closed. pinned, released: its pin, and the profiles that held it, were taken away.
    """

    model_id: str
    models: tuple[FreedModel, ...]
    closing: tuple[threading.Event, ...]
    pinned: bool = False
    released: tuple[str, ...] = ()

    def wait(self) -> None:
        for closed in self.closing:
            closed.wait()


class OpenModels:
    """Belongs to the model cache, which calls it under its lock.

    reserved: bytes for models that are being opened.
    """

    def __init__(self) -> None:
        self.reserved: dict[ModelKey, int] = {}
        self.pinned: set[str] = set()
        self.holds: dict[str, Hold] = {}
        self._open: dict[ModelKey, OpenModel] = {}
        self._retired: list[OpenModel] = []

    def __iter__(self) -> Iterator[OpenModel]:
        """Those that can be leased."""
        return iter(self._open.values())

    @property
    def accounted_bytes(self) -> int:
        here = sum(opened.bytes for opened in (*self._open.values(), *self._retired))
        return here + sum(self.reserved.values())

    def add(self, opened: OpenModel) -> None:
        assert opened.key not in self._open
        self._open[opened.key] = opened

    def add_retired(self, opened: OpenModel) -> None:
        """A model for its present lease alone. Another one may be open under the same key."""
        opened.retired = True
        self._retired.append(opened)

    def lease(self, key: ModelKey) -> OpenModel | None:
        opened = self._open.get(key)
        if opened is not None:
            opened.leases += 1
        return opened

    def release(self, opened: OpenModel, now_s: float) -> bool:
        """Whether the model was closed by it."""
        opened.leases -= 1
        opened.last_used_s = now_s
        if opened.leases or not opened.retired:
            return False
        self._retired.remove(opened)
        opened.closed.set()
        return True

    def evict(self, keys: Iterable[ModelKey]) -> int:
        """Close models without a lease. Returns how many."""
        evicted = [self._open.pop(key) for key in list(keys)]
        for opened in evicted:
            assert not opened.leases
            opened.closed.set()
        return len(evicted)

    def retire(self, model_id: str) -> list[OpenModel]:
        """Close a model in all its forms. Returns those that are still in use."""
        forms = [opened for opened in self._open.values() if opened.key.id == model_id]
        self.evict(opened.key for opened in forms if not opened.leases)
        for opened in forms:
            if opened.leases:
                self.retire_form(opened)
        return [opened for opened in self._retired if opened.key.id == model_id]

    def forms(self, keys: Iterable[ModelKey]) -> tuple[FreedModel, ...]:
        opened = [self._open[key] for key in keys]
        return tuple(FreedModel(each.key.id, each.network.precision, each.bytes) for each in opened)

    def end_keepers(self, model_id: str) -> tuple[bool, list[str]]:
        """Take away what keeps a model. Returns whether it was pinned, and which profiles held it."""
        pinned, holding = model_id in self.pinned, self._holding(model_id)
        self.pinned.discard(model_id)
        for name in holding:
            del self.holds[name]
        return pinned, holding

    def retire_form(self, opened: OpenModel) -> None:
        """Close a model that is in use after its last lease."""
        self.add_retired(self._open.pop(opened.key))

    def end_hold(self, name: str) -> frozenset[str]:
        """The models of the hold that nothing else keeps."""
        held = self.holds.pop(name).models if name in self.holds else frozenset()
        others = [other.models for other in self.holds.values()]
        return held - self.pinned - frozenset().union(*others)

    def require_not_held(self, model_id: str) -> None:
        """Raises ModelHeld naming what keeps the model."""
        if model_id in self.pinned:
            raise ModelHeld(f"model {model_id!r} is pinned; unpin it first")
        holding = self._holding(model_id)
        if holding:
            raise ModelHeld(f"model {model_id!r} is held by profile {holding[0]!r}; release that first")

    def candidates(self) -> list[Candidate[ModelKey]]:
        found = []
        for opened in self._open.values():
            holds = [self.holds[name] for name in self._holding(opened.key.id)]
            kept = bool(opened.leases) or opened.key.id in self.pinned
            kept = kept or not all(hold.yielding for hold in holds)
            rank = max((hold.priorities[opened.key.id] for hold in holds), default=None)
            found.append(Candidate(opened.key, opened.bytes, opened.last_used_s, not kept, rank))
        return found

    def report(self, now_s: float) -> tuple[ModelMemory, ...]:
        return tuple(
            ModelMemory(
                model=opened.key.id,
                precision=opened.network.precision,
                bytes=opened.bytes,
                weights_bytes=opened.weights_bytes,
                leases=opened.leases,
                pinned=opened.key.id in self.pinned,
                leaving=opened.retired,
                idle_s=0.0 if opened.leases else round(now_s - opened.last_used_s, 1),
                profiles=tuple(self._holding(opened.key.id)),
                denoise=opened.key.dials.denoise,
                detail=opened.key.dials.detail,
            )
            for opened in (*self._open.values(), *self._retired)
        )

    def _holding(self, model_id: str) -> list[str]:
        return [name for name, hold in self.holds.items() if model_id in hold.models]
