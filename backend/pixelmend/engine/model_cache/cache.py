"""Opens the models of one worker on demand, leases them, and evicts them when memory is needed."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import Lock
from weakref import WeakValueDictionary

from pixelmend.engine.backends.network import KeepsMemory
from pixelmend.engine.backends.selection import measure_pace
from pixelmend.engine.devices.device import Device
from pixelmend.engine.devices.memory import DeviceMemory, MemoryReading
from pixelmend.engine.model_cache.budget import MemoryBudget
from pixelmend.engine.model_cache.description import describe_models
from pixelmend.engine.model_cache.eviction import MemoryLimits, plan_cleanup, plan_idle
from pixelmend.engine.model_cache.open_models import Hold, OpenModel, OpenModels, Retired
from pixelmend.engine.model_cache.opener import ModelOpener
from pixelmend.engine.model_cache.provider import LoadPlan, ModelKey, ModelProvider
from pixelmend.engine.recovery.policy import RecoveryLog, RecoveryPolicy
from pixelmend.models.catalog import ModelTask, wrong_task
from pixelmend.models.description import ModelDescription
from pixelmend.models.dials import UNTURNED, Dials
from pixelmend.models.hooks import Hooks
from pixelmend.models.memory import FreedModel, ModelMemory

RECENTLY_S = 10.0
"""Clean-up spares models used within this time: if other programs fill the memory, a burst of requests would
otherwise open the same model again and again."""
REST_AFTER_S = 5.0
"""A model that was not used for this time gives back the memory that it keeps for its next tiles."""


class ModelCache:
    """Built once by the worker's main and used by all its threads. Opening a model takes seconds: only the
    threads that want the same model wait for it.

    first_call_px: what a model may compute at once before anything was measured. calls_at_once: how many
    threads may run one model at the same time.
    """

    def __init__(
        self,
        provider: ModelProvider,
        device: Device,
        memory: DeviceMemory,
        limits: MemoryLimits,
        *,
        first_call_px: int = 288**2,
        calls_at_once: int = 1,
        policy: RecoveryPolicy | None = None,
        hooks: Hooks | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.device = device
        self.recoveries = RecoveryLog()
        self._provider = provider
        self._memory = memory
        self._clock = clock
        self._lock = Lock()
        self._models = OpenModels()
        self._budget = MemoryBudget(
            self._models, memory, limits, device.name, self.recoveries, first_call_px, calls_at_once
        )
        self._opener = ModelOpener(
            provider,
            self._models,
            self._budget,
            memory,
            self._lock,
            self.free_unused,
            policy=policy or RecoveryPolicy(),
            recoveries=self.recoveries,
            hooks=hooks,
            clock=clock,
        )
        self._retired_model_was_released = False
        # A key's lock exists as long as a thread holds it or waits for it.
        self._opening: WeakValueDictionary[ModelKey, Lock] = WeakValueDictionary()

    @property
    def limits(self) -> MemoryLimits:
        return self._budget.limits

    @limits.setter
    def limits(self, limits: MemoryLimits) -> None:
        """The next `collect` evicts what has no room any more."""
        with self._lock:
            self._budget.limits = limits

    # --- use ------------------------------------------------------------------------------------------

    def lease(
        self,
        model_id: str,
        *,
        dials: Dials = UNTURNED,
        sixteen_bit: bool = False,
        task: ModelTask = "upscale",
        on_cpu_because: str | None = None,
    ) -> OpenModel:
        """The model, opened if need be; it stays open until `release`.

        sixteen_bit: run in FP32, since reduced precision would band. on_cpu_because: why it is opened on the
        CPU for this lease, if the policy allows that; the model's note says so. Raises UnknownModel,
        ModelUnusable, InvalidParameter, ModelTooLarge, DeviceMemoryError.
        """
        key = ModelKey(model_id, dials, sixteen_bit)
        opened = self._lease(key, task, for_job=True, on_cpu_because=on_cpu_because)
        found = opened.model.architecture.task
        if found != task:  # the task of a dropped-in file is known only after it was read
            self.release(opened)
            raise wrong_task(model_id, found)
        return opened

    def _lease(
        self,
        key: ModelKey,
        task: ModelTask | None = None,
        *,
        for_job: bool = False,
        on_cpu_because: str | None = None,
    ) -> OpenModel:
        """for_job: a model that the device has no room for is opened on the CPU, if the policy allows it."""
        with self._lock:
            opening = self._opening.setdefault(key, Lock())
        with opening:
            if on_cpu_because is not None:
                opened = self._opener.open_on_cpu(key, task, on_cpu_because)
                if opened is not None:
                    return opened
            with self._lock:
                opened = self._models.lease(key)
            return opened or self._opener.open(key, task, for_job=for_job)

    def release(self, opened: OpenModel) -> None:
        with self._lock:
            # The caller still refers to the model, so its memory is returned by the next `collect`.
            self._retired_model_was_released |= self._models.release(opened, self._clock())

    def free_unused(self) -> bool:
        """Evict every model without a lease, a pin or a profile. False if there was none."""
        return bool(self.evict_unused())

    def evict_unused(self) -> tuple[FreedModel, ...]:
        """As `free_unused`; the device's caches are cleared in any case."""
        with self._lock:
            keys = [c.key for c in self._models.candidates() if c.free and c.rank is None]
            freed = self._models.forms(keys)
            self._budget.evict(keys)
        self._memory.trim()
        return freed

    def collect(self) -> int:
        """Evict idle models, and unused ones if memory is short or if the ceiling allows less than they have.
        Those that stay and are not used give back what they keep for tiles.

        Returns how many were evicted.
        """
        now_s = self._clock()
        with self._lock:
            released, self._retired_model_was_released = self._retired_model_was_released, False
            self._budget.settle_reservations()
            evicted = 0
            if self.limits.idle_s is not None:
                evicted += self._budget.evict(plan_idle(self._models.candidates(), now_s, self.limits.idle_s))
            if self.limits.cleanup_percent is not None:
                reading, used_bytes = self._budget.read()
                excess = used_bytes - int(reading.capacity_bytes * self.limits.cleanup_percent / 100)
                if excess >= 0:
                    old = [c for c in self._models.candidates() if now_s - c.last_used_s >= RECENTLY_S]
                    evicted += self._budget.evict(plan_cleanup(old, excess + 1))
            # The ceiling was lowered. What other programs have is the clean-up's matter.
            too_many = plan_cleanup(self._models.candidates(), self._budget.excess_bytes())
            evicted += self._budget.evict(too_many)
            at_rest = [
                each.network
                for each in self._models
                if not each.leases and now_s - each.last_used_s >= REST_AFTER_S
            ]
        for network in at_rest:
            if isinstance(network, KeepsMemory):
                network.release_memory()
        if evicted or released:
            self._memory.trim()
        return evicted

    # --- administration -------------------------------------------------------------------------------

    def load(self, model_id: str) -> None:
        """Open a model, as `lease` does, measure how fast it is, and leave it open."""
        opened = self._lease(ModelKey(model_id))
        try:
            if opened.seconds_per_px is None:
                opened.seconds_per_px = measure_pace(opened.model.architecture, opened.network)
                self._provider.record_execution_profile(model_id, opened.execution_profile)
        finally:
            self.release(opened)
        with self._lock:
            self._budget.settle_reservations()

    def unload(self, model_id: str) -> None:
        """Close a model in all its forms; returns after the last lease of it. Raises ModelHeld."""
        self.retire(model_id).wait()

    def retire(self, model_id: str, *, force: bool = False) -> Retired:
        """As `unload`, without waiting. force: a pin and profiles do not keep it, and are taken away.

        A request for the model that comes meanwhile opens it again, beside the retired forms.
        """
        pinned, released = False, list[str]()
        with self._lock:
            if force:
                pinned, released = self._models.end_keepers(model_id)
            self._models.require_not_held(model_id)
            freed = self._models.forms(each.key for each in self._models if each.key.id == model_id)
            retiring = self._models.retire(model_id)
        if freed:  # it takes a while, and a client may ask for it a thousand times
            self._memory.trim()
        return Retired(model_id, freed, tuple(each.closed for each in retiring), pinned, tuple(released))

    def trim(self) -> None:
        """Return freed memory to the device."""
        self._memory.trim()

    def pin(self, model_id: str, pinned: bool) -> None:
        """A pinned model is opened and never evicted. Raises as `lease`, and nothing is pinned then."""
        if not pinned:
            with self._lock:
                self._models.pinned.discard(model_id)
            return
        opened = self._lease(ModelKey(model_id))  # the lease keeps it open until it is pinned
        with self._lock:
            self._models.pinned.add(model_id)
        self.release(opened)

    def hold(self, name: str, hold: Hold) -> None:
        """Keep models open, in the name of a profile, once they are open."""
        with self._lock:
            self._models.holds[name] = hold

    def end_hold(self, name: str) -> frozenset[str]:
        """The models of the hold that nothing else keeps. They stay open."""
        with self._lock:
            return self._models.end_hold(name)

    def known_ids(self) -> list[str]:
        """Models that are open, and those that are to be kept open."""
        with self._lock:
            held = (model for hold in self._models.holds.values() for model in hold.models)
            return sorted({*(opened.key.id for opened in self._models), *self._models.pinned, *held})

    # --- state ----------------------------------------------------------------------------------------

    def load_plan(self, model_id: str) -> LoadPlan:
        """What a model would take. Raises UnknownModel, ModelUnusable."""
        return self._provider.load_plan(ModelKey(model_id))

    def open_bytes(self, model_ids: Iterable[str]) -> Mapping[str, int]:
        """The bytes of those of the models that are open, in all their forms."""
        wanted = set(model_ids)
        found: dict[str, int] = {}
        with self._lock:
            for opened in self._models:
                if opened.key.id in wanted:
                    found[opened.key.id] = found.get(opened.key.id, 0) + opened.bytes
        return found

    @property
    def active_profiles(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(sorted(self._models.holds))

    def read(self) -> tuple[MemoryReading, int, tuple[ModelMemory, ...]]:
        """The device's memory, how much of it counts as used, and the models that are open."""
        with self._lock:
            return *self._budget.read(), self._models.report(self._clock())

    def describe(self) -> Iterator[ModelDescription]:
        """Every model with a file, open or not."""
        with self._lock:
            opened, pinned = list(self._models), frozenset(self._models.pinned)
            held = {name: hold.models for name, hold in self._models.holds.items()}
        return describe_models(self._provider, opened, pinned, held)
