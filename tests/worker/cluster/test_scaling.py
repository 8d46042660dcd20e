"""How many replicas there should be for what runs and waits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from pixelmend.worker.cluster.scaling import LONG_JOBS, LONG_JOBS_WAITING, ReplicasForJobs


class TwoRequests:
    def get_target_ongoing_requests(self) -> float:
        return 2.0


@dataclass
class Now:
    """As Serve tells it: `requests` are all, films among them; the rest by replica."""

    requests: float = 0.0
    films: tuple[float, ...] = ()
    waiting: tuple[float, ...] = ()
    current_num_replicas: int = 1
    target_num_replicas: int = 1
    config: TwoRequests = field(default_factory=TwoRequests)

    @property
    def total_num_requests(self) -> float:
        return self.requests

    @property
    def aggregated_metrics(self) -> Mapping[str, Mapping[Any, float]]:
        told = {LONG_JOBS: self.films, LONG_JOBS_WAITING: self.waiting}
        return {name: dict(enumerate(values)) for name, values in told.items()}


@pytest.mark.parametrize(
    ("now", "films_each", "replicas"),
    [
        (Now(), 1, 0.0),
        (Now(requests=5), 1, 2.5),
        (Now(requests=1, films=(1,)), 1, 1),
        (Now(requests=1, films=(1,), waiting=(2,)), 1, 3),
        # Each replica is told the same.
        (Now(requests=2, films=(1, 1), waiting=(1, 1)), 1, 3),
        (Now(requests=2, films=(1, 1), waiting=(1, 1)), 2, 2),
        # Images run beside films.
        (Now(requests=10, films=(1, 1)), 1, 4.0),
        (Now(requests=3, films=(1, 1)), 1, 2),
        # One that has just begun, in means of some seconds: it waited, and it runs.
        (Now(requests=1.8, films=(1, 0.7), waiting=(0.4, 0.4)), 1, 2),
        (Now(current_num_replicas=0, target_num_replicas=3), 1, 3),
    ],
)
def test_replicas_for_jobs(now: Now, films_each: int, replicas: float) -> None:
    assert ReplicasForJobs(films_each)(now) == (replicas, {})
