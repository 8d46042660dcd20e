"""A replica of the cluster, as the pool has its workers."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

from pixelmend.core.config import Settings
from pixelmend.core.management import Management
from pixelmend.core.profile import Profile
from pixelmend.core.telemetry import Logger
from pixelmend.models.memory import Alert
from pixelmend.worker.cluster.messages import Joined, ToSession
from pixelmend.worker.memory import WorkerMemory
from pixelmend.worker.protocol import FromWorker, Submit, ToWorker
from pixelmend.worker.state import WorkerEvents, WorkerState
from pixelmend.worker.status import WorkerStatus


class ReplicaWorker:
    """A place among the pool's workers, which one replica has at a time. Belongs to one event loop.

    send: False if the gateway does not take it.
    """

    def __init__(
        self,
        settings: Settings,
        log: Logger,
        send: Callable[[ToSession], bool],
        on_alert: Callable[[Alert], None],
    ) -> None:
        self.state = WorkerState(settings, log, self.send, on_alert)
        self.state.problem = None
        self.session: str | None = None
        self.replica: str | None = None
        self.node = ""
        self._takes_jobs = False
        self._send = send
        self._events: WorkerEvents | None = None
        self._index = 0

    @property
    def memory(self) -> WorkerMemory:
        return self.state.memory

    @property
    def model_loads(self) -> Counter[str]:
        return self.state.model_loads

    @property
    def device(self) -> str:
        return f"{self.node}/{self.replica}"

    def start(self, events: WorkerEvents, index: int) -> None:
        self._events, self._index = events, index

    async def stop(self) -> None:
        self.memory.worker_lost("the service stops")

    def status(self) -> WorkerStatus:
        """Its device is called by its machine and replica as well: every machine has a cuda:0."""
        status = self.state.status()
        if status.device is None:
            return status
        called = f"{self.device}/{status.device.id or status.device.type}"
        return replace(status, device=replace(status.device, id=called))

    def send(self, message: ToWorker) -> bool:
        if self.session is None or self.state.ready is None:
            return False
        if isinstance(message, Submit) and not self._takes_jobs:
            return False
        return self._send(ToSession(self.session, message))

    def manage(self, management: Management) -> None:
        self.state.manage(management)

    def use_profiles(self, profiles: Mapping[str, Profile]) -> None:
        """Replicas are started by the cluster, with the profiles of the deployment."""

    # --- from the gateway -----------------------------------------------------------------------------

    def join(self, joined: Joined) -> None:
        self.session, self.replica, self.node = joined.session, joined.replica, joined.node
        self._takes_jobs = True

    def on_message(self, message: FromWorker) -> None:
        assert self._events is not None
        self.state.on_message(message, self._events, self._index)

    def retire(self) -> None:
        self._takes_jobs = False

    def leave(self, reason: str, *, by_itself: bool, expected: bool, crashed: bool = False) -> None:
        assert self._events is not None
        self.state.silent()
        self.session, self._takes_jobs = None, False
        self.state.problem = None if expected else f"replica {self.replica} on {self.node} was lost: {reason}"
        self.state.restarts += not expected
        self.memory.worker_lost(reason)
        self._events.on_worker_lost(self._index, reason, by_itself=by_itself, crashed=crashed)
