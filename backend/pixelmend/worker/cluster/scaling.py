"""How many replicas the jobs need: a policy of Ray Serve's autoscaling. It does not import Ray."""

import math
from collections.abc import Mapping
from typing import Any, Protocol

LONG_JOBS, LONG_JOBS_WAITING = "long_jobs", "long_jobs_waiting"
"""What each replica tells: how many it runs, and how many wait at the service."""


class Targets(Protocol):
    def get_target_ongoing_requests(self) -> float: ...


class Context(Protocol):
    """What is used of Serve's `AutoscalingContext`. Numbers are means of the last seconds."""

    current_num_replicas: int
    target_num_replicas: int

    @property
    def config(self) -> Targets: ...

    @property
    def total_num_requests(self) -> float: ...

    @property
    def aggregated_metrics(self) -> Mapping[str, Mapping[Any, float]] | None: ...


class ReplicasForJobs:
    """Counts films by themselves. Serve counts requests alike, but a replica runs fewer films than images at
    a time: films that wait would bring no replica, and replicas with one film each would be taken for idle.
    """

    def __init__(self, long_jobs_each: int) -> None:
        self._long_jobs_each = long_jobs_each

    def __call__(self, context: Context) -> tuple[float, dict[str, Any]]:
        """How many replicas there should be, which Serve rounds up, and what to keep until the next call."""
        if not context.current_num_replicas:
            return context.target_num_replicas, {}
        told = context.aggregated_metrics or {}
        running = sum(told.get(LONG_JOBS, {}).values())
        waiting = max(told.get(LONG_JOBS_WAITING, {}).values(), default=0.0)
        short = max(0.0, context.total_num_requests - running)
        # A film that has begun to run is in both means for some seconds.
        for_long = math.ceil(round(running + waiting) / self._long_jobs_each)
        return max(short / context.config.get_target_ongoing_requests(), for_long), {}
