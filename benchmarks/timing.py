"""Alternating runs and what is made of their times."""

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

REST_S = 0.2
"""Before every timed run: threads of the run before that still spin for work have gone to sleep by then."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Ours against a peer's, from runs that alternated. Ratios above 1: we take less time.

    ratio: of the medians. lowest and highest: of the rounds' own ratios.
    """

    ours_s: float
    peer_s: float
    ratio: float
    lowest: float
    highest: float


def interleave(
    contestants: Mapping[str, Callable[[], float]],
    rounds: int,
    *,
    rest_s: float = REST_S,
    on_run: Callable[[str, float], None] = lambda name, seconds: None,
) -> dict[str, list[float]]:
    """Run every contestant once a round, each round beginning with another one.

    A contestant returns the seconds it took. Warm-ups are the caller's. The result has one value per round
    and contestant, in the order of the rounds.
    """
    names = list(contestants)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for index in range(rounds):
        first = index % len(names)
        for name in names[first:] + names[:first]:
            time.sleep(rest_s)
            taken_s = contestants[name]()
            seconds[name].append(taken_s)
            on_run(name, taken_s)
    return seconds


def compare(ours_s: Sequence[float], peer_s: Sequence[float]) -> Comparison:
    """Times of as many rounds each."""
    each = [peer / ours for ours, peer in zip(ours_s, peer_s, strict=True)]
    ours, peer = statistics.median(ours_s), statistics.median(peer_s)
    return Comparison(ours, peer, peer / ours, min(each), max(each))


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of the values that `percent` of them do not exceed (nearest rank)."""
    if not values:
        raise ValueError("there is no percentile of nothing")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]
