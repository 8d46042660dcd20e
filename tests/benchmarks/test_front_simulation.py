"""The simulation agrees with what can be calculated."""

import pytest

from benchmarks.front_simulation import Costs, front_limit_per_s, simulate

COSTS = Costs(api_s=0.002, gateway_s=0.004, report_s=0.001, service_s=(0.4, 0.5, 0.6))


@pytest.mark.parametrize("replicas", [1, 8, 64])
def test_below_the_fronts_limit_all_that_comes_is_done(replicas: int) -> None:
    found = simulate(replicas, COSTS, load=0.5, jobs=5000, seed=1)
    assert found.rate_per_s == pytest.approx(0.5 * replicas / 0.5, rel=0.1)
    assert found.replicas_busy == pytest.approx(0.5, rel=0.1)


def test_beyond_it_the_front_sets_the_rate() -> None:
    found = simulate(512, COSTS, load=0.9, jobs=5000, seed=1)
    assert found.rate_per_s == pytest.approx(front_limit_per_s(512, COSTS), rel=0.05)
    assert found.gateway_busy == pytest.approx(1.0, abs=0.02)
    assert found.replicas_busy < 0.2


def test_reports_alone_can_fill_the_gateway() -> None:
    assert front_limit_per_s(1000, COSTS) == 0.0
    assert simulate(1000, COSTS, load=0.1, jobs=10, seed=1).rate_per_s == 0.0


def test_the_same_seed_gives_the_same_figures() -> None:
    assert simulate(8, COSTS, load=0.9, jobs=500, seed=3) == simulate(8, COSTS, load=0.9, jobs=500, seed=3)
