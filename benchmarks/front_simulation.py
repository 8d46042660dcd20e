"""When the one front of a cluster becomes its limit: a simulation, with costs that were measured.

A job passes the API process, then the gateway, each one thread, then a replica; the gateway also asks every
replica for its report once a second. Arrivals are random, at a share of what the replicas could do.
"""

import heapq
import random
from dataclasses import dataclass

from benchmarks.timing import percentile

REPORTS_PER_S = 1.0


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds. api, gateway: of their threads, for a job. report: of the gateway's, for one. service: of a
    replica, for each of the jobs that were measured.
    """

    api_s: float
    gateway_s: float
    report_s: float
    service_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Simulated:
    """rate_per_s: jobs that ended. busy: shares of the time, in [0, 1]. p95_s: from arrival to end."""

    replicas: int
    rate_per_s: float
    api_busy: float
    gateway_busy: float
    replicas_busy: float
    p95_s: float


def front_limit_per_s(replicas: int, costs: Costs) -> float:
    """Jobs that the front can pass on: by the busier of its two processes."""
    left = max(0.0, 1.0 - replicas * REPORTS_PER_S * costs.report_s)
    return min(1.0 / costs.api_s, left / costs.gateway_s)


def simulate(replicas: int, costs: Costs, *, load: float, jobs: int, seed: int) -> Simulated:
    """load: of what the replicas alone could do, in (0, 1]."""
    rng = random.Random(seed)
    mean_s = sum(costs.service_s) / len(costs.service_s)
    left = 1.0 - replicas * REPORTS_PER_S * costs.report_s
    if left <= 0:
        return Simulated(replicas, 0.0, 0.0, 1.0, 0.0, float("inf"))
    gateway_s = costs.gateway_s / left
    arrived_s = api_free_s = gateway_free_s = busy_s = 0.0
    free_s = [0.0] * replicas
    waits: list[float] = []
    ended_s = 0.0
    for _ in range(jobs):
        arrived_s += rng.expovariate(load * replicas / mean_s)
        api_free_s = max(arrived_s, api_free_s) + costs.api_s
        gateway_free_s = max(api_free_s, gateway_free_s) + gateway_s
        service_s = rng.choice(costs.service_s)
        end_s = max(gateway_free_s, heapq.heappop(free_s)) + service_s
        heapq.heappush(free_s, end_s)
        busy_s += service_s
        ended_s = max(ended_s, end_s)
        waits.append(end_s - arrived_s)
    return Simulated(
        replicas,
        jobs / ended_s,
        jobs * costs.api_s / ended_s,
        min(1.0, jobs * costs.gateway_s / ended_s + 1.0 - left),
        busy_s / (replicas * ended_s),
        percentile(waits, 95),
    )
