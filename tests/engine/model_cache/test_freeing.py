"""An operator gets memory back, and no job loses its model."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pixelmend.core.errors import ModelHeld
from pixelmend.core.profile import Profile
from pixelmend.engine.model_cache.eviction import MemoryLimits
from pixelmend.engine.model_cache.freeing import MemoryFreer
from pixelmend.engine.model_cache.profiles import ProfilePreloader
from pixelmend.models.memory import FreedModel, KeptModel
from tests.engine.counting import Clock, CountingDevice, CountingProvider, cache_of, open_models, use

MODELS = {"a": 100, "b": 110, "c": 120, "d": 130}


class Bench:
    def __init__(self) -> None:
        self.clock = Clock()
        self.device = CountingDevice(1000)
        self.cache = cache_of(CountingProvider(self.device, MODELS), self.clock)
        self.freer = MemoryFreer(self.cache)

    @property
    def open(self) -> set[str]:
        return open_models(self.cache)

    def hold(self, name: str, *models: str) -> None:
        ProfilePreloader(self.cache).preload(name, Profile(models=models))


def test_what_nothing_keeps_is_freed_and_the_rest_says_what_keeps_it() -> None:
    bench = Bench()
    use(bench.cache, "a")
    bench.cache.pin("b", True)
    bench.hold("night", "c")
    lease = bench.cache.lease("d")
    freed = bench.freer.free()
    assert [(model.model, model.precision) for model in freed.models] == [("a", "float32")]
    assert freed.bytes == sum(model.bytes for model in freed.models) >= 100
    assert freed.device_bytes >= 100
    assert set(freed.kept) == {
        KeptModel("b", 0, True, ()),
        KeptModel("c", 0, False, ("night",)),
        KeptModel("d", 1, False, ()),
    }
    assert (freed.unpinned, freed.released) == ((), ())
    assert bench.freer.free().models == ()
    bench.cache.release(lease)


def test_the_devices_caches_are_cleared_even_if_no_model_goes() -> None:
    bench = Bench()
    assert bench.freer.free().bytes == 0
    assert bench.device.trimmed.acquire(blocking=False)


def test_force_takes_away_pin_and_profile_and_says_so() -> None:
    bench = Bench()
    bench.cache.pin("a", True)
    bench.hold("night", "a", "b")
    with pytest.raises(ModelHeld):
        bench.freer.unload("a", False)
    freed = bench.freer.unload("a", True)
    assert [model.model for model in freed.models] == ["a"]
    assert (freed.unpinned, freed.released) == (("a",), ("night",))
    assert bench.open == {"b"}
    assert bench.freer.unload("b", False).bytes > 0  # no profile holds it any more


@pytest.mark.full
def test_all_are_unloaded_but_what_is_kept_and_with_force_that_too() -> None:
    bench = Bench()
    for name in MODELS:
        use(bench.cache, name)
    bench.cache.pin("a", True)
    bench.hold("night", "b")
    freed = bench.freer.unload_all(False)
    assert {model.model for model in freed.models} == {"c", "d"}
    assert bench.open == {"a", "b"}
    forced = bench.freer.unload_all(True)
    assert {model.model for model in forced.models} == {"a", "b"}
    assert (forced.unpinned, forced.released, forced.kept) == (("a",), ("night",), ())
    assert bench.open == set()


def test_force_waits_for_the_jobs_that_use_a_model() -> None:
    bench = Bench()
    lease = bench.cache.lease("a")
    bench.cache.pin("a", True)
    with ThreadPoolExecutor(1) as one:
        unloading = one.submit(bench.freer.unload_all, True)
        while not lease.retired:
            threading.Event().wait(0.01)
        assert not unloading.done()
        assert not lease.closed.is_set()
        bench.cache.release(lease)
        assert unloading.result(60).models == (FreedModel("a", "float32", lease.bytes),)


def test_lowered_ceiling_evicts_what_no_job_uses_and_the_rest_when_it_is_released() -> None:
    bench = Bench()
    used = bench.cache.lease("a")
    for name in ("b", "c", "d"):
        use(bench.cache, name)
    bench.cache.limits = MemoryLimits(ceiling_percent=10, cleanup_percent=None, idle_s=None)
    assert bench.cache.collect() == 3
    assert bench.open == {"a"}
    bench.cache.release(used)
    assert bench.cache.collect() == 1
    assert bench.open == set()


def test_what_other_programs_have_is_no_matter_of_the_ceiling() -> None:
    bench = Bench()
    use(bench.cache, "a")
    bench.device.others_bytes = 800
    bench.cache.limits = MemoryLimits(ceiling_percent=50, cleanup_percent=None, idle_s=None)
    assert bench.cache.collect() == 0


def test_changed_idle_time_counts_for_what_is_open_already() -> None:
    bench = Bench()
    use(bench.cache, "a")
    bench.clock.now_s += 61
    assert bench.cache.collect() == 0
    bench.cache.limits = MemoryLimits(idle_s=60)
    assert bench.cache.collect() == 1
