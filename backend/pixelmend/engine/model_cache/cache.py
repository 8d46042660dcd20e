"""Opens the models of one worker on demand, leases them, and lets them go where their memory is needed."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import Lock
from weakref import WeakValueDictionary

from pixelmend.core.errors import DeviceMemoryError, ModelTooLarge
from pixelmend.engine.backends.selection import measure_pace
from pixelmend.engine.device import Device
from pixelmend.engine.memory import DeviceMemory, MemoryReading
from pixelmend.engine.model_cache.call_size import SMALLEST_CALL_PX, FitLimit
from pixelmend.engine.model_cache.eviction import (
    MemoryLimits,
    plan_cleanup,
    plan_eviction,
    plan_idle,
    room_bytes,
    used_bytes,
)
from pixelmend.engine.model_cache.open_models import Hold, OpenModel, Shelf
from pixelmend.engine.model_cache.provider import ModelKey, Offer, OpenNetwork, Stock
from pixelmend.engine.recovery import RecoveryLog, RecoveryPolicy
from pixelmend.engine.resilience import ResilientRunner
from pixelmend.models.catalog import ModelTask, wrong_task
from pixelmend.models.description import ModelDescription
from pixelmend.models.memory import ModelMemory

RECENTLY_S = 10.0
"""Clean-up spares models used within it: where others fill the memory, a burst of requests would open the
same model again and again."""


class ModelManager:
    """Built once, by the worker's main; used by all its threads. Opening a model takes seconds: whoever wants
    the same one waits for it, and nobody else does.

    first_call_px: what a model may compute at once before anything was measured. calls_at_once: of a model,
    by several threads.
    """

    def __init__(
        self,
        stock: Stock,
        device: Device,
        memory: DeviceMemory,
        limits: MemoryLimits,
        *,
        first_call_px: int = 288**2,
        calls_at_once: int = 1,
        policy: RecoveryPolicy | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.device = device
        self.limits = limits
        self.recoveries = RecoveryLog()
        self._stock = stock
        self._memory = memory
        self._first_call_px = first_call_px
        self._calls_at_once = calls_at_once
        self._policy = policy or RecoveryPolicy()
        self._clock = clock
        self._lock = Lock()
        self._shelf = Shelf()
        self._stale = False
        # A turn lasts as long as somebody has it or waits for it.
        self._turns: WeakValueDictionary[ModelKey, Lock] = WeakValueDictionary()

    # --- use ------------------------------------------------------------------------------------------

    def lease(
        self,
        model_id: str,
        *,
        denoise: float | None = None,
        sixteen_bit: bool = False,
        task: ModelTask = "upscale",
    ) -> OpenModel:
        """The model, opened if need be, and not let go before `release`.

        sixteen_bit: run in FP32, since reduced precision would band. Raises UnknownModel, ModelUnusable,
        InvalidParameter, ModelTooLarge, DeviceMemoryError.
        """
        opened = self._lease(ModelKey(model_id, denoise, sixteen_bit), task)
        found = opened.model.architecture.task
        if found != task:  # of a dropped-in file it was not known before
            self.release(opened)
            raise wrong_task(model_id, found)
        return opened

    def _lease(self, key: ModelKey, task: ModelTask | None = None) -> OpenModel:
        with self._lock:
            turn = self._turns.setdefault(key, Lock())
        with turn:
            with self._lock:
                opened = self._shelf.lease(key)
            return opened or self._open(key, task)

    def release(self, opened: OpenModel) -> None:
        with self._lock:
            # The caller still refers to it: its memory is given back when the house is kept next.
            self._stale |= self._shelf.release(opened, self._clock())

    def relieve(self) -> bool:
        """Let go of every model that nobody uses or holds. False where there was none."""
        with self._lock:
            gone = self._evict(c.key for c in self._shelf.candidates() if c.free and c.rank is None)
        if gone:
            self._memory.give_back()
        return gone > 0

    def housekeep(self) -> int:
        """Let idle models go, and unused ones where memory is short; how many."""
        now_s = self._clock()
        with self._lock:
            gone, stale, self._stale = 0, self._stale, False
            self._settle_promises()
            if self.limits.idle_s is not None:
                gone += self._evict(plan_idle(self._shelf.candidates(), now_s, self.limits.idle_s))
            if self.limits.cleanup_percent is not None:
                reading = self._memory.read()
                allowed = int(reading.capacity_bytes * self.limits.cleanup_percent / 100)
                excess = used_bytes(reading, self._shelf.accounted_bytes) - allowed
                if excess >= 0:
                    old = [c for c in self._shelf.candidates() if now_s - c.last_used_s >= RECENTLY_S]
                    gone += self._evict(plan_cleanup(old, excess + 1))
        if gone or stale:
            self._memory.give_back()
        return gone

    # --- administration -------------------------------------------------------------------------------

    def load(self, model_id: str) -> None:
        """Open a model, as `lease` does, see how fast it is, and leave it open."""
        opened = self._lease(ModelKey(model_id))
        try:
            if opened.seconds_per_px is None:
                opened.seconds_per_px = measure_pace(opened.model.architecture, opened.network)
                self._stock.note_profile(model_id, opened.execution_profile)
        finally:
            self.release(opened)
        with self._lock:
            self._settle_promises()  # it was measured

    def unload(self, model_id: str) -> None:
        """Let go of a model in all its forms; returns after the last lease of it. Raises ModelHeld."""
        for gone in self.leave(model_id):
            gone.wait()

    def leave(self, model_id: str) -> list[threading.Event]:
        """As `unload`, without waiting: events that are set when each of the forms in use has gone.

        Whoever asks for the model meanwhile gets a new one, opened beside those that leave.
        """
        with self._lock:
            self._shelf.require_not_held(model_id)
            leaving = self._shelf.leave(model_id)
        self._memory.give_back()
        return [opened.gone for opened in leaving]

    def pin(self, model_id: str, pinned: bool) -> None:
        """A pinned model is opened and never let go. Raises as `lease`, and nothing is pinned then."""
        if not pinned:
            with self._lock:
                self._shelf.pinned.discard(model_id)
            return
        opened = self._lease(ModelKey(model_id))  # nobody can let it go meanwhile
        with self._lock:
            self._shelf.pinned.add(model_id)
        self.release(opened)

    def hold(self, name: str, hold: Hold) -> None:
        """Keep models open, in the name of a profile, once they are open."""
        with self._lock:
            self._shelf.holds[name] = hold

    def drop(self, name: str) -> frozenset[str]:
        """End a hold; the models that it held and that nothing else keeps. They stay open."""
        with self._lock:
            return self._shelf.drop(name)

    # --- what is here ---------------------------------------------------------------------------------

    def offer(self, model_id: str) -> Offer:
        """What a model would take. Raises UnknownModel, ModelUnusable."""
        return self._stock.offer(ModelKey(model_id))

    def open_bytes(self, model_ids: Iterable[str]) -> Mapping[str, int]:
        """What those of the models that are open take, in all their forms."""
        wanted = set(model_ids)
        found: dict[str, int] = {}
        with self._lock:
            for opened in self._shelf:
                if opened.key.id in wanted:
                    found[opened.key.id] = found.get(opened.key.id, 0) + opened.bytes
        return found

    @property
    def active_profiles(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(sorted(self._shelf.holds))

    def read(self) -> tuple[MemoryReading, int, tuple[ModelMemory, ...]]:
        """The device's memory, how much of it counts as used, and the models that are open."""
        with self._lock:
            reading = self._memory.read()
            used = used_bytes(reading, self._shelf.accounted_bytes)
            return reading, used, self._shelf.report(self._clock())

    def describe(self) -> Iterator[ModelDescription]:
        """Every model with a file, loaded or not."""
        forms: dict[str, list[OpenModel]] = {}
        with self._lock:
            for opened in self._shelf:
                forms.setdefault(opened.key.id, []).append(opened)
            pinned = set(self._shelf.pinned)
        for entry in self._stock.entries():
            here, found = forms.get(entry.id), self._stock.known(entry)
            task = found.task or entry.task
            if here is None:
                yield ModelDescription(
                    id=entry.id,
                    task=task,
                    architecture=found.architecture or entry.architecture,
                    scale=found.scale or entry.scale,
                    execution_profile=found.execution_profile,
                    problem=found.problem,
                )
                continue
            # The form that most pictures are computed in, where it is open.
            last = min(here, key=lambda opened: (opened.key.sixteen_bit, opened.key.denoise is not None))
            yield ModelDescription(
                id=entry.id,
                task=task,
                architecture=last.model.architecture.name,
                scale=last.model.scale,
                loaded=True,
                precision=last.network.precision,
                bytes=sum(opened.bytes for opened in here),
                pinned=entry.id in pinned,
                leases=sum(opened.leases for opened in here),
                weights_bytes=last.weights_bytes,
                bytes_per_tile_px=last.figures.learned_bytes_per_px,
                execution_profile=last.execution_profile,
                problem=found.problem,
            )

    # --- opening --------------------------------------------------------------------------------------

    def _open(self, key: ModelKey, task: ModelTask | None) -> OpenModel:
        """The model with one lease. Only the key's turn is held while its network is made."""
        offer = self._stock.offer(key, task)
        with self._lock:
            self._shelf.reserved[key], evicted = self._make_room(key, offer)
        try:
            if evicted:
                self._memory.give_back()
            network = self._make(offer)
            with self._lock:
                opened = self._admit(key, network, self._shelf.reserved.pop(key))
        finally:
            with self._lock:
                self._shelf.reserved.pop(key, None)
        return opened

    def _make(self, offer: Offer) -> OpenNetwork:
        try:
            return offer.open()
        except DeviceMemoryError:
            if not self.relieve():
                raise
            return offer.open()

    # --- the lock is held in what follows, but in `_afford` -------------------------------------------

    def _make_room(self, key: ModelKey, offer: Offer) -> tuple[int, int]:
        """Bytes to reserve, and how many models went for them. Raises ModelTooLarge; none has gone then."""
        room = self._room()
        comfortable = offer.weights_bytes + self._calls_at_once * offer.bytes_for(self._first_call_px)
        # Rather than refuse, let it run on small tiles.
        for wanted in (comfortable, offer.least_bytes):
            plan = plan_eviction(self._shelf.candidates(), wanted - room)
            if plan is not None:
                return wanted, self._evict(plan)
        raise self._too_large(key, offer.least_bytes)

    def _admit(self, key: ModelKey, network: OpenNetwork, reserved_bytes: int) -> OpenModel:
        """The opened network as our model. Raises ModelTooLarge where it takes more than was thought."""
        figures = network.figures
        tile_bytes = reserved_bytes - network.weights_bytes if network.weights_bytes else 0
        least = figures.bytes_for(SMALLEST_CALL_PX) if network.weights_bytes else 0
        if tile_bytes < least:
            tile_bytes = least
            missing = -self._room(beside_bytes=network.weights_bytes + least)
            plan = plan_eviction(self._shelf.candidates(), missing)
            if plan is None:
                raise self._too_large(key, network.weights_bytes + least)
            if self._evict(plan):
                self._memory.give_back()
        limit = FitLimit(
            figures.learned.cap_px(figures.key),
            lambda px: self._afford(opened, px),
            lambda cap_px: figures.learned.capped(figures.key, cap_px),
        )
        runner = ResilientRunner(
            network.tiling,
            [lambda: network.network, *network.safer],
            self.relieve,
            limit=limit,
            policy=self._policy,
            done=self.recoveries,
        )
        opened = OpenModel(key, network, runner, tile_bytes, self._clock(), leases=1)
        self._shelf.put(opened)
        return opened

    def _afford(self, opened: OpenModel, px: int) -> int:
        """How many of `px` pixels a model may compute at once; their memory is promised to it from now on."""
        figures = opened.figures
        px = min(px, figures.next_step_px(self._first_call_px))
        needed = self._calls_at_once * figures.bytes_for(px)
        if not opened.weights_bytes or needed <= opened.tile_bytes:
            return px  # on another device than ours, or promised already
        with self._lock:
            opened.tile_bytes += max(0, min(needed - opened.tile_bytes, self._room()))
            return px * opened.tile_bytes // needed

    def _settle_promises(self) -> None:
        """What was promised before anything was measured may be far too much; jobs that run keep theirs."""
        for opened in self._shelf:
            figures = opened.figures
            if opened.leases or not opened.weights_bytes or figures.learned_bytes_per_px is None:
                continue
            usual = self._calls_at_once * figures.bytes_for(self._first_call_px)
            opened.tile_bytes = min(opened.tile_bytes, max(usual, figures.bytes_for(SMALLEST_CALL_PX)))

    def _room(self, beside_bytes: int = 0) -> int:
        accounted = self._shelf.accounted_bytes + beside_bytes
        return room_bytes(self._memory.read(), accounted, self.limits, shared=self._memory.shared)

    def _evict(self, keys: Iterable[ModelKey]) -> int:
        gone = self._shelf.evict(keys)
        self.recoveries.add("evicted", gone)
        return gone

    def _too_large(self, key: ModelKey, needed: int) -> ModelTooLarge:
        reading = self._memory.read()
        return ModelTooLarge(
            f"model {key.id!r} needs an estimated {_mb(needed)}; {self.device.name} has "
            f"{_mb(max(0, self._room()))} left for it: {_mb(self._shelf.accounted_bytes)} are taken by other "
            f"models, {_mb(reading.free_bytes)} of {_mb(reading.capacity_bytes)} are free, the ceiling is "
            f"{_mb(self.limits.ceiling_bytes(reading.capacity_bytes))} "
            f"(max_memory_usage_percent={self.limits.ceiling_percent:g})"
        )


def _mb(count: int) -> str:
    return f"{count / 1e6:.0f} MB"
