"""How much memory the models may take: what is reserved for them, and which of them are evicted for others.

Takes no lock: the model cache calls it under its own.
"""

from collections.abc import Iterable

from pixelmend.core.errors import ModelTooLarge
from pixelmend.engine.devices.memory import DeviceMemory, MemoryReading
from pixelmend.engine.model_cache.call_size import SMALLEST_CALL_PX
from pixelmend.engine.model_cache.eviction import MemoryLimits, plan_eviction, room_bytes, used_bytes
from pixelmend.engine.model_cache.open_models import OpenModel, OpenModels
from pixelmend.engine.model_cache.provider import LoadPlan, ModelKey, OpenNetwork
from pixelmend.engine.recovery.policy import RecoveryLog


class MemoryBudget:
    """first_call_px, calls_at_once: as in the model cache."""

    def __init__(
        self,
        models: OpenModels,
        memory: DeviceMemory,
        limits: MemoryLimits,
        device_name: str,
        recoveries: RecoveryLog,
        first_call_px: int,
        calls_at_once: int,
    ) -> None:
        self._models = models
        self._memory = memory
        self.limits = limits
        self._device_name = device_name
        self._recoveries = recoveries
        self._first_call_px = first_call_px
        self._calls_at_once = calls_at_once

    def read(self) -> tuple[MemoryReading, int]:
        """The device's memory, and how much of it counts as used."""
        reading = self._memory.read()
        return reading, used_bytes(reading, self._models.accounted_bytes)

    def reserve(self, key: ModelKey, plan: LoadPlan) -> int:
        """Reserve memory for a model that is about to be opened. Returns how many others were evicted.

        Raises ModelTooLarge; nothing was evicted then.
        """
        room = self._room()
        comfortable = plan.weights_bytes + self._calls_at_once * plan.bytes_for(self._first_call_px)
        # A model that can only have the least it needs runs on small tiles, which is better than a refusal.
        for wanted in (comfortable, plan.least_bytes):
            victims = plan_eviction(self._models.candidates(), wanted - room)
            if victims is not None:
                self._models.reserved[key] = wanted
                return self.evict(victims)
        raise self._too_large(key, plan.least_bytes)

    def claim(self, key: ModelKey, network: OpenNetwork) -> int:
        """End the reservation of a model that is open now. Returns the bytes for what it computes.

        Raises ModelTooLarge if it takes more than was expected and there is no room for that.
        """
        reserved_bytes = self._models.reserved.pop(key)
        if not network.weights_bytes:
            return 0  # on another device than ours
        tile_bytes = reserved_bytes - network.weights_bytes
        least = network.memory_profile.bytes_for(SMALLEST_CALL_PX)
        if tile_bytes >= least:
            return tile_bytes
        needed = network.weights_bytes + least
        victims = plan_eviction(self._models.candidates(), -self._room(beside_bytes=needed))
        if victims is None:
            raise self._too_large(key, needed)
        if self.evict(victims):
            self._memory.trim()
        return least

    def afford(self, opened: OpenModel, px: int) -> int:
        """How many of `px` pixels a model may compute at once; their memory is reserved from now on."""
        profile = opened.memory_profile
        px = min(px, profile.next_step_px(self._first_call_px))
        needed = self._calls_at_once * profile.bytes_for(px)
        if not opened.weights_bytes or needed <= opened.tile_bytes:
            return px  # on another device than ours, or reserved already
        opened.tile_bytes += max(0, min(needed - opened.tile_bytes, self._room()))
        return px * opened.tile_bytes // needed

    def settle_reservations(self) -> None:
        """Lower what was reserved before anything was measured; models in use keep what they have."""
        for opened in self._models:
            profile = opened.memory_profile
            if opened.leases or not opened.weights_bytes or profile.learned_bytes_per_px is None:
                continue
            usual = self._calls_at_once * profile.bytes_for(self._first_call_px)
            opened.tile_bytes = min(opened.tile_bytes, max(usual, profile.bytes_for(SMALLEST_CALL_PX)))

    def excess_bytes(self) -> int:
        """What the models have beyond the ceiling; 0 if they keep to it."""
        ceiling = self.limits.ceiling_bytes(self._memory.read().capacity_bytes)
        return max(0, self._models.accounted_bytes - ceiling)

    def evict(self, keys: Iterable[ModelKey]) -> int:
        count = self._models.evict(keys)
        self._recoveries.add("evicted", count)
        return count

    def _room(self, beside_bytes: int = 0) -> int:
        """beside_bytes: of a model that is open and not yet among the others."""
        accounted = self._models.accounted_bytes + beside_bytes
        return room_bytes(self._memory.read(), accounted, self.limits, shared=self._memory.shared)

    def _too_large(self, key: ModelKey, needed: int) -> ModelTooLarge:
        reading = self._memory.read()
        return ModelTooLarge(
            f"model {key.id!r} needs an estimated {_mb(needed)}; {self._device_name} has "
            f"{_mb(max(0, self._room()))} left for it: {_mb(self._models.accounted_bytes)} are taken by "
            f"other models, {_mb(reading.free_bytes)} of {_mb(reading.capacity_bytes)} are free, the ceiling "
            f"is {_mb(self.limits.ceiling_bytes(reading.capacity_bytes))} "
            f"(max_memory_usage_percent={self.limits.ceiling_percent:g})"
        )


def _mb(count: int) -> str:
    return f"{count / 1e6:.0f} MB"
