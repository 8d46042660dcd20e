"""Whether new work is welcome: the one answer that readiness, health and metrics give.

Admission refuses by the same parts (`require_open`, `Spool.require_room`), so that a service that is
ready refuses work for one reason alone: a queue that is full.
"""

from dataclasses import dataclass

from pixelmend.core.background import Repeated
from pixelmend.core.errors import PixelmendError, StorageFull, StorageUnusable
from pixelmend.core.private_paths import PrivatePaths
from pixelmend.jobs.scheduler import Scheduler
from pixelmend.jobs.spool import Spool
from pixelmend.jobs.store import JobStore
from pixelmend.worker.pool import WorkerPool


@dataclass(frozen=True, slots=True)
class Readiness:
    default_model: str
    spool: Spool
    workers: WorkerPool
    scheduler: Scheduler
    store: JobStore
    sweeper: Repeated
    paths: PrivatePaths

    @property
    def default_model_loaded(self) -> bool:
        return any(model.id == self.default_model and model.loaded for model in self.workers.status().models)

    def reasons(self) -> list[str]:
        """Why new work should go elsewhere; empty when ready."""
        worker = self.workers.status()
        reasons = []
        if not worker.ready:
            reasons.append(worker.problem or f"no heartbeat for {worker.heartbeat_age_s or 0:.0f} s")
        elif worker.problem is not None and not self.default_model_loaded:
            # Without a problem it was open, and unloaded when idle; the next request opens it again.
            reasons.append(worker.problem)
        try:
            self.spool.require_room()
        except StorageFull as error:
            reasons.append(error.message)
        refusals = (self.scheduler.refusal(), self.storage_refusal())
        reasons += [refusal.message for refusal in refusals if refusal is not None]
        return list(dict.fromkeys(map(self.paths.hidden, reasons)))

    def storage_refusal(self) -> PixelmendError | None:
        """Jobs would be lost, or files would pile up; None while all is well."""
        problem = self.sweeper.problem()
        return self.store.refusal() or (None if problem is None else StorageUnusable(problem))

    def require_open(self, owner: str) -> None:
        """The cheap check before an upload is read. Raises StorageUnusable, Draining, NoWorker, QueueFull."""
        refusal = self.storage_refusal()
        if refusal is not None:
            raise refusal
        self.scheduler.require_open(owner)
