"""Sets of models that are preloaded and released together."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from pixelmend.core.errors import ModelHeld, ModelTooLarge, UnknownModel
from pixelmend.core.profile import Placement, Profile
from pixelmend.engine.model_cache.profiles import ProfilePreloader, wanted_at_start
from tests.engine.counting import Clock, CountingDevice, CountingProvider, cache_of, open_models, use

MODELS = {"a": 200, "b": 200, "c": 200, "d": 300}


class Bench:
    def __init__(self, **profiles: Profile) -> None:
        self.clock = Clock()
        self.device = CountingDevice(1000)
        self.provider = CountingProvider(self.device, MODELS)
        self.cache = cache_of(self.provider, self.clock)
        self.keeper = ProfilePreloader(self.cache)
        self.profiles = profiles

    def preload(self, name: str) -> None:
        self.keeper.preload(name, self.profiles[name])

    @property
    def open(self) -> set[str]:
        return open_models(self.cache)


@pytest.mark.full
def test_preloaded_models_stay_until_released() -> None:
    bench = Bench(photos=Profile(models=("a", "b")))
    bench.preload("photos")
    assert bench.open == {"a", "b"}
    assert list(bench.cache.active_profiles) == ["photos"]
    bench.clock.now_s += 10_000
    assert bench.cache.collect() == 0
    use(bench.cache, "c")
    use(bench.cache, "d")  # in the place of c
    assert bench.open == {"a", "b", "d"}
    with pytest.raises(ModelHeld, match="'a' is held by profile 'photos'"):
        bench.cache.unload("a")
    bench.keeper.release("photos")
    assert bench.open == {"d"}
    assert not bench.cache.active_profiles


def test_those_that_may_go_do_so_last_and_by_priority() -> None:
    bench = Bench(
        low=Profile(models=("a",), priority=1, auto_cleanup=True),
        high=Profile(models=("b",), priority=2, auto_cleanup=True),
    )
    bench.preload("high")
    bench.preload("low")  # used last, and still the first to go
    use(bench.cache, "c")
    use(bench.cache, "d")
    assert bench.open == {"a", "b", "d"}
    bench.cache.pin("d", True)
    use(bench.cache, "c")
    assert bench.open == {"b", "c", "d"}


def test_a_profile_is_bounded_by_its_own_limit() -> None:
    bench = Bench(
        bytes=Profile(models=("a", "b"), memory_limit_bytes=450),
        percent=Profile(models=("a", "b"), memory_limit_percent=45),
        enough=Profile(models=("a", "b"), memory_limit_bytes=500),
    )
    for name in ("bytes", "percent"):
        with pytest.raises(ModelTooLarge, match=f"profile '{name}'"):
            bench.preload(name)
    assert bench.provider.opened == []  # the estimate was enough
    bench.provider.surprises["b"] = 100
    with pytest.raises(ModelTooLarge, match="profile 'enough'"):
        bench.preload("enough")
    assert bench.open == set()
    bench.provider.surprises.clear()
    bench.preload("enough")


def test_a_profile_that_cannot_be_had_leaves_nothing_behind() -> None:
    bench = Bench(
        large=Profile(models=("a", "b", "c", "d")),
        wrong=Profile(models=("a", "nobody")),
        small=Profile(models=("a",)),
    )
    use(bench.cache, "a")
    with pytest.raises(ModelTooLarge):
        bench.preload("large")
    assert not bench.cache.active_profiles
    assert bench.open == {"a"}  # which was open before
    with pytest.raises(UnknownModel):
        bench.preload("wrong")


def test_release_waits_for_leases_and_spares_what_others_keep() -> None:
    bench = Bench(one=Profile(models=("a", "b", "c")), two=Profile(models=("c",)))
    bench.preload("one")
    bench.preload("two")
    bench.cache.pin("b", True)
    lease = bench.cache.lease("a")
    with ThreadPoolExecutor(1) as threads:
        releasing = threads.submit(bench.keeper.release, "one")
        assert bench.device.trimmed.acquire(timeout=60)
        assert lease.retired
        assert not releasing.done()
        bench.cache.release(lease)
        releasing.result(60)
    assert bench.open == {"b", "c"}


def test_the_most_important_is_preloaded_first() -> None:
    profiles = {
        "low": Profile(models=("a",), preload=True),
        "no": Profile(models=("b",), priority=9),
        "high": Profile(models=("c",), preload=True, priority=5),
    }
    assert list(wanted_at_start(profiles, ("auto", "cpu"))) == ["high", "low"]


def test_a_device_preloads_what_is_placed_on_it_or_anywhere() -> None:
    placements = {"b": Placement(device="cuda:1"), "c": Placement(device="cuda:0")}
    profiles = {
        "all": Profile(models=("a", "b", "c"), placements=placements, preload=True),
        "other": Profile(models=("b",), placements={"b": Placement(device="cuda:1")}, preload=True),
    }
    first = wanted_at_start(profiles, ("auto", "cuda:0"))
    assert {name: part.models for name, part in first.items()} == {"all": ("a", "c")}
    second = wanted_at_start(profiles, ("cuda:1", "cuda:1"))
    assert {name: part.models for name, part in second.items()} == {"all": ("a", "b"), "other": ("b",)}
    assert dict(second["all"].placements) == {"b": placements["b"]}


def test_priorities_of_models_order_their_loading_and_their_eviction() -> None:
    placements = {"a": Placement(priority=1), "c": Placement(priority=7)}
    bench = Bench(some=Profile(models=("a", "b", "c"), priority=3, placements=placements, auto_cleanup=True))
    bench.preload("some")
    assert bench.provider.opened == ["c", "b", "a"]
    use(bench.cache, "a")  # used last, and still the first to go
    use(bench.cache, "d")
    assert bench.open == {"b", "c", "d"}
