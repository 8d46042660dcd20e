"""Models that are not used, or not wanted any more, are closed, and no other."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from pixelmend.core.errors import ModelHeld, ModelTooLarge, UnknownModel
from pixelmend.engine.model_cache.eviction import MemoryLimits
from tests.engine.counting import (
    Clock,
    CountingNetwork,
    CountingProvider,
    cache_of,
    counting,
    open_models,
    use,
)


def test_idle_models_go_and_used_ones_stay() -> None:
    clock = Clock()
    _, provider = counting(a=100, b=100, c=100)
    cache = cache_of(provider, clock, MemoryLimits(idle_s=60))
    lease = cache.lease("a")
    cache.pin("b", True)
    use(cache, "c")
    clock.now_s += 59
    assert cache.collect() == 0
    clock.now_s += 1
    assert cache.collect() == 1
    assert open_models(cache) == {"a", "b"}
    cache.release(lease)
    assert cache.collect() == 0  # idle from its release on
    clock.now_s += 60
    assert cache.collect() == 1


def test_what_is_not_used_gives_back_the_memory_of_its_tiles() -> None:
    clock = Clock()
    cache = cache_of(counting(a=100, b=100)[1], clock)
    busy = cache.lease("a")
    at_rest = cache.lease("b")
    cache.release(at_rest)
    clock.now_s += 4
    cache.collect()
    networks = [opened.network for opened in (busy, at_rest)]
    assert all(isinstance(each, CountingNetwork) for each in networks)
    assert [getattr(each, "releases", None) for each in networks] == [0, 0]
    clock.now_s += 1
    cache.collect()
    assert [getattr(each, "releases", None) for each in networks] == [0, 1]


def test_above_the_threshold_unused_models_go_until_below_the_oldest_first() -> None:
    clock = Clock()
    device, provider = counting(a=200, b=200, c=200)
    cache = cache_of(provider, clock)
    for name in "abc":
        use(cache, name)
        clock.now_s += 100
    assert cache.collect() == 0
    device.others_bytes = 130  # 130 + 3 * 241 = 853 of 850
    assert cache.collect() == 1
    assert open_models(cache) == {"b", "c"}
    assert cache.collect() == 0


def test_clean_up_can_be_turned_off_and_spares_what_was_just_used() -> None:
    clock = Clock()
    device, provider = counting(a=200)
    device.others_bytes = 650
    tidy = cache_of(provider, clock)
    untidy = cache_of(CountingProvider(device, {}), clock, MemoryLimits(cleanup_percent=None))
    use(tidy, "a")
    assert tidy.collect() == 0
    clock.now_s += 60
    assert untidy.collect() == 0
    assert tidy.collect() == 1


def test_unloading_waits_for_the_last_lease() -> None:
    device, provider = counting(a=100)
    cache = cache_of(provider)
    leases = [cache.lease("a"), cache.lease("a")]
    with ThreadPoolExecutor(1) as threads:
        unloading = threads.submit(cache.unload, "a")
        assert device.trimmed.acquire(timeout=60)
        assert leases[0].retired
        cache.release(leases[0])
        assert not unloading.done()
        assert not leases[1].closed.is_set()
        cache.release(leases[1])
        unloading.result(60)
    assert cache.read()[2] == ()


def test_a_retired_model_gets_no_new_lease_and_its_bytes_count_until_it_is_closed() -> None:
    _, provider = counting(a=400)
    cache = cache_of(provider)
    old = cache.lease("a")
    (gone,) = cache.retire("a").closing
    new = cache.lease("a")
    assert new is not old
    assert old.leases == 1
    (again,) = cache.retire("a").closing[1:]
    with pytest.raises(ModelTooLarge):
        cache.lease("a")
    assert not gone.is_set()
    cache.release(old)
    cache.release(new)
    assert gone.is_set()
    assert again.is_set()


def test_a_pinned_model_is_not_unloaded_and_an_unknown_one_not_pinned() -> None:
    _, provider = counting(a=100)
    cache = cache_of(provider)
    cache.pin("a", True)
    with pytest.raises(ModelHeld, match="'a' is pinned"):
        cache.unload("a")
    cache.pin("a", False)
    cache.unload("a")
    assert open_models(cache) == set()
    with pytest.raises(UnknownModel):
        cache.pin("unknown", True)
