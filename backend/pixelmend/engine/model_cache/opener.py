"""Opens a model: reserves memory for it, evicts others for it, and adds it to the open models."""

from collections.abc import Callable
from threading import Lock

from pixelmend.core.errors import DeviceMemoryError
from pixelmend.engine.devices.memory import DeviceMemory
from pixelmend.engine.model_cache.budget import MemoryBudget
from pixelmend.engine.model_cache.call_size import CallSizeLimiter
from pixelmend.engine.model_cache.open_models import OpenModel, OpenModels
from pixelmend.engine.model_cache.provider import LoadPlan, ModelKey, ModelProvider, OpenNetwork
from pixelmend.engine.recovery.observer import RecoveryObserver
from pixelmend.engine.recovery.policy import RecoveryLog, RecoveryPolicy
from pixelmend.engine.recovery.runner import ResilientRunner
from pixelmend.models.catalog import ModelTask
from pixelmend.models.hooks import Hooks


class ModelOpener:
    """Belongs to a model cache and shares its lock, its open models and its budget.

    free_unused: evicts what nothing keeps; False if there was nothing.
    """

    def __init__(
        self,
        provider: ModelProvider,
        models: OpenModels,
        budget: MemoryBudget,
        memory: DeviceMemory,
        lock: Lock,
        free_unused: Callable[[], bool],
        *,
        policy: RecoveryPolicy,
        recoveries: RecoveryLog,
        hooks: Hooks | None,
        clock: Callable[[], float],
    ) -> None:
        self._provider = provider
        self._models = models
        self._budget = budget
        self._memory = memory
        self._lock = lock
        self._free_unused = free_unused
        self._policy = policy
        self._recoveries = recoveries
        self._hooks = hooks
        self._clock = clock

    def open(self, key: ModelKey, task: ModelTask | None, *, for_job: bool) -> OpenModel:
        """The model with one lease; called under the key's own lock, which alone is held meanwhile.

        for_job: if the device has no room for it, open it on the CPU for one lease, if the policy allows
        that. Raises as `ModelCache.lease`.
        """
        plan = self._provider.load_plan(key, task)
        try:
            return self._open_here(key, plan)
        except DeviceMemoryError as error:
            opened = self._open_on_cpu(key, plan, error.message) if for_job else None
            if opened is None:
                raise
            return opened

    def open_on_cpu(self, key: ModelKey, task: ModelTask | None, because: str) -> OpenModel | None:
        """As `open`, on the CPU for one lease, beside the model on the device if it is open. None if the
        device is the CPU, or if the policy allows no other.
        """
        return self._open_on_cpu(key, self._provider.load_plan(key, task), because)

    def _open_on_cpu(self, key: ModelKey, plan: LoadPlan, because: str) -> OpenModel | None:
        if plan.open_on_cpu is None or "other-device" not in self._policy.out_of_memory:
            return None
        opened = self._opened(key, plan.open_on_cpu(because), 0)  # it takes none of this device's memory
        with self._lock:
            # For this job alone: the next one may be computed on the device.
            self._models.add_retired(opened)
        return opened

    def _open_here(self, key: ModelKey, plan: LoadPlan) -> OpenModel:
        with self._lock:
            evicted = self._budget.reserve(key, plan)
        try:
            if evicted:
                self._memory.trim()
            network = self._open_network(plan)
            with self._lock:
                return self._add(key, network)
        finally:
            with self._lock:
                self._models.reserved.pop(key, None)

    def _add(self, key: ModelKey, network: OpenNetwork) -> OpenModel:
        opened = self._opened(key, network, self._budget.claim(key, network))
        self._models.add(opened)
        return opened

    def _opened(self, key: ModelKey, network: OpenNetwork, tile_bytes: int) -> OpenModel:
        profile = network.memory_profile
        limit = CallSizeLimiter(profile.cap_px, lambda px: self._afford(opened, px), profile.remember_cap)
        runner = ResilientRunner(
            network.tiling,
            [lambda: network.network, *network.fallbacks],
            self._free_unused,
            limit=limit,
            policy=self._policy,
            log=self._recoveries,
            observer=RecoveryObserver(key.id, self._hooks),
        )
        opened = OpenModel(key, network, runner, tile_bytes, self._clock(), leases=1)
        return opened

    def _open_network(self, plan: LoadPlan) -> OpenNetwork:
        try:
            return plan.open()
        except DeviceMemoryError:
            if not self._free_unused():
                raise
            return plan.open()

    def _afford(self, opened: OpenModel, px: int) -> int:
        with self._lock:
            return self._budget.afford(opened, px)
