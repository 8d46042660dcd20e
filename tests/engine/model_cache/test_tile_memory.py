"""How many tiles a call has, and of what size, follows from the memory that is left."""

import numpy as np

from pixelmend.engine.model_cache.cache import ModelCache
from pixelmend.engine.model_cache.eviction import MemoryLimits
from tests.engine.counting import (
    DEVICE,
    SMALLEST_PX,
    Clock,
    CountingNetwork,
    CountingProvider,
    cache_of,
    counting,
)
from tests.engine.networks import colour


def network_of(provider: CountingProvider, cache: ModelCache, side_px: int, count: int) -> list[int]:
    opened = cache.lease("a")
    opened.runner.run(np.zeros((count, side_px, side_px, 3), np.uint8), colour(count))
    network = opened.network
    assert isinstance(network, CountingNetwork)
    cache.release(opened)
    return network.calls_px


def test_a_batch_has_what_the_ceiling_leaves_and_the_first_call_is_one_tile() -> None:
    _, provider = counting(10_000, a=1000)
    provider.bytes_per_px = 1.0
    cache = cache_of(provider)
    provider.memory_profiles.record_call(provider.profile_key("a"), SMALLEST_PX, SMALLEST_PX)
    assert network_of(provider, cache, 64, 5) == [SMALLEST_PX] * 5  # 8000 B are left, 4096 for one
    _, provider = counting(100_000, a=1000)
    provider.bytes_per_px = 1.0
    cache = cache_of(provider)
    assert network_of(provider, cache, 64, 5) == [SMALLEST_PX] * 5  # nothing was measured yet
    provider.memory_profiles.record_call(provider.profile_key("a"), SMALLEST_PX, SMALLEST_PX)
    assert network_of(provider, cache, 64, 5)[5:] == [4 * SMALLEST_PX, SMALLEST_PX]  # no more in one step
    assert cache.read()[2][0].bytes == 1000 + 4 * SMALLEST_PX


def test_what_did_not_fit_is_remembered_by_the_next_run_of_the_service() -> None:
    device, provider = counting(100_000, a=1000)
    provider.bytes_per_px = 1.0
    cache = cache_of(provider, first_call_px=4 * SMALLEST_PX)
    provider.hungrier = 10  # than anybody thought
    assert network_of(provider, cache, 64, 4) == [2 * SMALLEST_PX, 2 * SMALLEST_PX]
    again = CountingProvider(device, provider.models, 1.0)
    again.memory_profiles = provider.memory_profiles
    again.hungrier = 10
    assert cache.recoveries.counts().smaller == 1
    cache.unload("a")
    next_run = cache_of(again, first_call_px=4 * SMALLEST_PX)
    assert network_of(again, next_run, 64, 4) == [2 * SMALLEST_PX, 2 * SMALLEST_PX]
    assert next_run.recoveries.counts().smaller == 0


def test_two_calls_at_one_time_need_twice_the_memory() -> None:
    device, provider = counting(10_000, a=1000)
    provider.bytes_per_px = 1.0
    provider.memory_profiles.record_call(provider.profile_key("a"), SMALLEST_PX, SMALLEST_PX)
    cache = ModelCache(
        provider, DEVICE, device, MemoryLimits(), first_call_px=SMALLEST_PX, calls_at_once=2, clock=Clock()
    )
    opened = cache.lease("a")
    assert opened.bytes == 1000 + SMALLEST_PX  # 8000 are left, and two calls would need 8192
    assert opened.runner.limit.allowed(2 * SMALLEST_PX) == SMALLEST_PX
    assert opened.bytes <= 9000


def test_where_memory_is_short_a_model_runs_on_smaller_tiles() -> None:
    _, provider = counting(10_000, a=1000)
    provider.bytes_per_px = 1.0
    cache = cache_of(provider, first_call_px=256**2)
    opened = cache.lease("a")
    assert 64 <= opened.runner.limit.tile_edge(256) < 90
    assert opened.bytes <= 9000


def test_what_was_reserved_before_it_was_measured_shrinks_to_what_is_needed() -> None:
    _, provider = counting(capacity=100_000, small=10)
    provider.bytes_per_px = 1.0
    cache = cache_of(provider)
    leased = cache.lease("small")
    assert leased.bytes == 10 + SMALLEST_PX
    provider.memory_profiles.record_call(provider.profile_key("small"), SMALLEST_PX, SMALLEST_PX // 4)
    cache.collect()
    assert leased.bytes == 10 + SMALLEST_PX, "a job that runs has lost its reservation"
    cache.release(leased)
    cache.collect()
    assert [model.bytes for model in cache.read()[2]] == [10 + SMALLEST_PX // 4]
