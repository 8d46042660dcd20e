"""Damaged files of every format through the whole service: a result or a clear refusal, never a 500."""

import random
from collections import Counter

import pytest

from tests.imaging import samples
from tests.service import ServiceClient

EXPECTED = {200, 413, 415, 422}
MUTANTS_PER_FORMAT = 40


@pytest.mark.parametrize("name", sorted(samples.one_of_each()))
def test_mutants_get_a_result_or_a_refusal(service: ServiceClient, name: str) -> None:
    data = samples.one_of_each()[name]
    chance = random.Random(f"mutants of {name} by http")
    restarts = service.client.get("/api/health").json()["worker_restarts"]
    seen: Counter[int] = Counter()
    for _ in range(MUTANTS_PER_FORMAT):
        files = {"file": ("mutant", samples.mutated(data, chance))}
        response = service.client.post(
            "/api/upscale", files=files, data={"first_frame": "true", "scale": "1"}
        )
        seen[response.status_code] += 1
        assert response.status_code in EXPECTED, response.text
    assert seen[200] < MUTANTS_PER_FORMAT, "no mutation did any harm; this test would prove nothing"
    assert service.client.get("/api/health").json()["worker_restarts"] == restarts
    service.wait_until_spool_is_empty()
