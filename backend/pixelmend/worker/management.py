"""The settings of memory, as they are now in every worker of a service."""

from collections.abc import Mapping

from pixelmend.core.config import Settings
from pixelmend.core.management import Management, management_of
from pixelmend.worker.pool import WorkerPool


class MemoryManagement:
    """Belongs to the pool's event loop. configured: what the service was started with."""

    def __init__(self, settings: Settings, workers: WorkerPool) -> None:
        self.configured = management_of(settings)
        self._current = self.configured
        self._workers = workers

    @property
    def current(self) -> Management:
        return self._current

    def change(self, changes: Mapping[str, object]) -> None:
        """All of it, or nothing: raises InvalidParameter naming the value and its limit.

        Workers that run have it with their next message; those that start later begin with it.
        """
        self._current = self._current.changed(changes)
        self._workers.manage(self._current)
