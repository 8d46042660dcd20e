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
            allowed = "other-device" in self._policy.out_of_memory
            if plan.open_on_cpu is None or not for_job or not allowed:
                raise
            network = plan.open_on_cpu(error)
        with self._lock:
            self._models.reserved[key] = 0  # it takes none of this device's memory
            opened = self._add(key, network)
            # For this job alone: the next one may find room on the device.
            self._models.retire_form(opened)
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
        tile_bytes = self._budget.claim(key, network)
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
        self._models.add(opened)
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
