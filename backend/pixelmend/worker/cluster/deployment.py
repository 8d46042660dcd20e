"""What the gateway needs of replicas, however they are reached; `RayDeployment` is the real one."""

from collections.abc import AsyncIterator
from typing import Any, Protocol

from pixelmend.worker.cluster.answer import Part


class ReplicaGone(Exception):
    """The replica ended, or its machine did, with what it was doing."""


class NotRouted(Exception):
    """The replica takes no more; nothing has happened."""


class Deployment(Protocol):
    """Belongs to one event loop. Replicas are told apart by their ids."""

    async def start(self) -> None:
        """Join or start the cluster, and have the replicas started. Raises ConnectionError saying why not."""
        ...

    async def check(self) -> None:
        """Raises TimeoutError or ConnectionError if the head does not answer."""
        ...

    async def replicas(self) -> frozenset[str]:
        """Those that take work now."""
        ...

    async def call(self, replica: str, method: str, *arguments: Any) -> Any:
        """A method of its `Engine`. Raises ReplicaGone, NotRouted, and what the method raises."""
        ...

    def stream(self, replica: str, method: str, *arguments: Any) -> AsyncIterator[Part]:
        """The same of a method that yields; left early, the method is cancelled."""
        ...

    def put(self, data: bytes) -> Any:
        """A reference that may be an argument. Not on the event loop."""
        ...

    async def stop(self, *, ends: bool) -> None:
        """ends: the deployment goes as well, if it is ours."""
        ...
