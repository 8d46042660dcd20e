"""Gives a device's memory back when an operator asks for it, and says what became free."""

from collections.abc import Sequence

from pixelmend.core.errors import ModelHeld
from pixelmend.engine.model_cache.cache import ModelCache
from pixelmend.engine.model_cache.open_models import Retired
from pixelmend.models.memory import FreedMemory, FreedModel, KeptModel


class MemoryFreer:
    """Never takes a model from a job: what is in use gets no new lease, and is closed after its last one."""

    def __init__(self, cache: ModelCache) -> None:
        self._cache = cache

    def free(self) -> FreedMemory:
        """Evict every model without a lease, a pin or a profile, and clear the device's caches."""
        used_bytes = self._used_bytes()
        return self._freed(used_bytes, self._cache.evict_unused())

    def unload(self, model_id: str, force: bool) -> FreedMemory:
        """Close a model in all its forms; returns after its last lease.

        force: take away its pin, and release the profiles that hold it; their other models stay open. Raises
        ModelHeld without it.
        """
        used_bytes = self._used_bytes()
        return self._closed(used_bytes, [self._cache.retire(model_id, force=force)])

    def unload_all(self, force: bool) -> FreedMemory:
        """As `unload`, of all models; those that a pin or a profile keeps stay open without force."""
        used_bytes = self._used_bytes()
        retired = []
        for model_id in self._cache.known_ids():
            try:
                retired.append(self._cache.retire(model_id, force=force))
            except ModelHeld:
                continue
        return self._closed(used_bytes, retired)

    def _closed(self, used_bytes: int, retired: Sequence[Retired]) -> FreedMemory:
        for each in retired:
            each.wait()
        if any(each.closing for each in retired):
            self._cache.trim()  # the last leases have ended since the models were retired
        freed = tuple(model for each in retired for model in each.models)
        unpinned = tuple(each.model_id for each in retired if each.pinned)
        released = tuple(sorted({name for each in retired for name in each.released}))
        return self._freed(used_bytes, freed, unpinned, released)

    def _freed(
        self,
        used_bytes: int,
        freed: tuple[FreedModel, ...],
        unpinned: tuple[str, ...] = (),
        released: tuple[str, ...] = (),
    ) -> FreedMemory:
        _, used_now_bytes, models = self._cache.read()
        kept = tuple(KeptModel(model.model, model.leases, model.pinned, model.profiles) for model in models)
        return FreedMemory(
            models=freed,
            bytes=sum(model.bytes for model in freed),
            device_bytes=max(0, used_bytes - used_now_bytes),
            kept=kept,
            unpinned=unpinned,
            released=released,
        )

    def _used_bytes(self) -> int:
        return self._cache.read()[1]
