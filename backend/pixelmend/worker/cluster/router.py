"""Which replica a request of the gateway goes to: the one that it names. Serve imports this everywhere."""

import time
from collections.abc import Sequence
from typing import Any

from ray.serve.request_router import RequestRouter


class Target(str):
    """The id of a replica, as the first argument of a request; it arrives there as plain text.

    The router runs in the gateway's process, and notes here what it sees: `present`, all ids that there are;
    `seen_s`, when that was, by `time.monotonic()`; `offered`, whether this one was among them. It looks again
    until the request is taken.
    """

    present: frozenset[str] | None = None
    seen_s: float = 0.0
    offered: bool | None = None

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


class TargetRouter(RequestRouter):  # type: ignore[misc]
    async def choose_replicas(
        self, candidate_replicas: Sequence[Any], pending_request: Any = None
    ) -> list[list[Any]]:
        # Without it Serve asks again at once, for ever.
        pending_request.routing_context.should_backoff = True
        target = pending_request.args[0]
        chosen = [each for each in candidate_replicas if each.replica_id.unique_id == target]
        if hasattr(target, "present"):
            target.present = frozenset(each.replica_id.unique_id for each in candidate_replicas)
            target.seen_s, target.offered = time.monotonic(), bool(chosen)
        return [chosen]
