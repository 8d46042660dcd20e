"""Which models are open: opened once, kept while leased or pinned, evicted if their memory is needed."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch

from pixelmend.core.config_values import RecoveryAction
from pixelmend.core.errors import ModelHeld, ModelTooLarge, ModelUnusable, UnknownModel
from pixelmend.core.telemetry import Logger
from pixelmend.engine.devices.device import cpu_device
from pixelmend.engine.devices.memory import HostMemory
from pixelmend.engine.model_cache.cache import ModelCache
from pixelmend.engine.model_cache.eviction import MemoryLimits
from pixelmend.engine.model_cache.memory_profile import MemoryProfiles
from pixelmend.engine.model_cache.provider import CatalogProvider
from pixelmend.engine.recovery.policy import RecoveryPolicy
from pixelmend.models.catalog import Catalog, load_catalog
from tests.engine.counting import (
    DEVICE,
    SMALLEST_PX,
    Clock,
    CountingDevice,
    CountingNetwork,
    CountingProvider,
    cache_of,
    open_models,
    use,
)
from tests.engine.networks import colour, compact_state
from tests.imaging.samples import noise

NAMES = [f"model-{i}" for i in range(6)]


def make_models(folder: Path) -> None:
    for seed, name in enumerate(NAMES):
        safetensors.torch.save_file(compact_state(seed=seed), folder / f"{name}.safetensors")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_models(tmp_path)
    return tmp_path


class Gate:
    """A catalog whose readers can be made to wait; `reads` counts them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.reads = 0
        self.entered = threading.Semaphore(0)
        self.open = threading.Event()
        self.open.set()

    def __call__(self) -> Catalog:
        self.reads += 1
        self.entered.release()
        assert self.open.wait(timeout=60)
        return load_catalog(self._folder)


def on_the_cpu(gate: Gate, learned: MemoryProfiles | None = None) -> ModelCache:
    device = cpu_device()
    provider = CatalogProvider(gate, device, "float32", learned or MemoryProfiles(None, Logger()), threads=1)
    return ModelCache(provider, device, HostMemory(), MemoryLimits())


def counting(capacity: int = 1000, **models: int) -> tuple[CountingDevice, CountingProvider]:
    device = CountingDevice(capacity)
    return device, CountingProvider(device, models)


# --- on the CPU -------------------------------------------------------------------------------------------


def test_a_model_is_opened_once_for_all_who_want_it_at_one_time(folder: Path) -> None:
    gate = Gate(folder)
    cache = on_the_cpu(gate)
    with ThreadPoolExecutor(4) as threads:
        leases = list(threads.map(cache.lease, [NAMES[0]] * 8))
    assert gate.reads == 1
    assert all(lease is leases[0] for lease in leases)
    assert leases[0].leases == 8


def test_opening_one_model_does_not_hold_up_those_who_want_another(folder: Path) -> None:
    gate = Gate(folder)
    cache = on_the_cpu(gate)
    cache.release(cache.lease(NAMES[0]))
    gate.open.clear()
    assert gate.entered.acquire(timeout=60)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(cache.lease, NAMES[1])
        assert gate.entered.acquire(timeout=60)
        cache.release(cache.lease(NAMES[0]))
        assert not slow.done()
        gate.open.set()
        assert slow.result(60).model.id == NAMES[1]


def test_a_model_that_could_not_be_opened_is_tried_again(folder: Path) -> None:
    cache = on_the_cpu(Gate(folder))
    path = folder / f"{NAMES[0]}.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    with pytest.raises(ModelUnusable):
        cache.lease(NAMES[0])
    path.write_bytes(whole)
    assert cache.lease(NAMES[0]).leases == 1
    with pytest.raises(UnknownModel):
        cache.lease("unknown")


LEARNED = """
import sys
from pathlib import Path
from tests.engine.model_cache.test_cache import NAMES, colour, make_models, noise, on_the_cpu, Gate

folder = Path(sys.argv[1])
make_models(folder)
opened = on_the_cpu(Gate(folder)).lease(NAMES[0])
opened.runner.run(noise(256, 256, 3)[None], colour())
print(opened.memory_profile.learned_bytes_per_px)
"""


@pytest.mark.full
def test_what_is_measured_is_at_least_the_output(tmp_path: Path) -> None:
    """In a process of its own: memory that other tests have left is taken again, and is not seen as taken."""
    command = [sys.executable, "-c", LEARNED, str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    assert float(ran.stdout.split()[-1]) > 8  # 2x2 pixels of 3 bytes are 12; the rest may have been there


def test_what_a_model_takes_is_measured_and_told(folder: Path) -> None:
    cache = on_the_cpu(Gate(folder))
    opened = cache.lease(NAMES[0])
    opened.runner.run(noise(256, 256, 3)[None], colour())
    learned = opened.memory_profile.learned_bytes_per_px
    assert learned is not None
    described = {model.id: model for model in cache.describe()}[NAMES[0]]
    assert (described.loaded, described.leases, described.bytes_per_tile_px) == (True, 1, learned)
    assert described.bytes == opened.bytes
    assert described.weights_bytes is not None
    assert 0 < described.weights_bytes < opened.bytes


# --- eviction ---------------------------------------------------------------------------------------------


def test_the_least_recently_used_goes_where_its_bytes_are_needed() -> None:
    clock = Clock()
    _, provider = counting(a=200, b=200, c=200, d=200)
    cache = cache_of(provider, clock)
    for name in "abca":
        clock.now_s += 1
        use(cache, name)
    assert open_models(cache) == {"a", "b", "c"}
    use(cache, "d")
    assert open_models(cache) == {"a", "c", "d"}
    assert cache.recoveries.counts().evicted == 1


def test_leased_and_pinned_models_stay_and_the_refusal_names_the_numbers() -> None:
    _, provider = counting(a=300, b=300, c=300)
    cache = cache_of(provider)
    cache.pin("a", True)
    lease = cache.lease("b")
    with pytest.raises(ModelTooLarge, match=r"'c' needs an estimated .*max_memory_usage_percent=90"):
        cache.lease("c")
    assert open_models(cache) == {"a", "b"}
    cache.release(lease)
    use(cache, "c")
    assert open_models(cache) == {"a", "c"}
    cache.pin("a", False)
    use(cache, "b")
    assert open_models(cache) == {"b", "c"}


def test_a_job_whose_model_has_no_room_gets_it_on_the_cpu_for_this_once() -> None:
    _, provider = counting(a=600, b=600)
    provider.has_cpu = True
    cache = cache_of(provider)
    held = cache.lease("a")
    elsewhere = cache.lease("b")
    assert elsewhere.note is not None
    assert elsewhere.note.startswith("computed on the CPU: model 'b' needs an estimated ")
    cache.release(elsewhere)
    assert open_models(cache) == {"a"}
    # What an operator asks for is not done elsewhere in secret.
    for ask in (cache.load, lambda name: cache.pin(name, True)):
        with pytest.raises(ModelTooLarge):
            ask("b")
    cache.release(held)
    del held  # or its memory is not free yet
    use(cache, "b")
    assert provider.opened == ["a", "b on the CPU", "b"]


def test_a_lease_on_the_cpu_stands_beside_the_model_on_the_device_and_says_why() -> None:
    _, provider = counting(a=600)
    provider.has_cpu = True
    cache = cache_of(provider)
    here = cache.lease("a")
    elsewhere = cache.lease("a", on_cpu_because="its worker crashed")
    assert elsewhere.note == "computed on the CPU: its worker crashed"
    assert elsewhere.runner is not here.runner
    assert elsewhere.bytes == 0
    cache.release(elsewhere)
    assert cache.lease("a") is here
    assert provider.opened == ["a", "a on the CPU"]
    assert [model.leases for model in cache.read()[2]] == [2]


@pytest.mark.parametrize(("has_cpu", "actions"), [(False, ("other-device",)), (True, ("smaller-tile",))])
def test_where_there_is_no_other_device_or_the_policy_allows_none_it_is_computed_here(
    has_cpu: bool, actions: tuple[RecoveryAction, ...]
) -> None:
    _, provider = counting(a=600)
    provider.has_cpu = has_cpu
    cache = cache_of(provider, policy=RecoveryPolicy(out_of_memory=actions))
    leased = cache.lease("a", on_cpu_because="its worker crashed")
    assert (leased.note, provider.opened) == (None, ["a"])


def test_a_job_is_refused_if_the_policy_keeps_it_from_the_cpu() -> None:
    _, provider = counting(huge=1000)
    provider.has_cpu = True
    cache = cache_of(provider, policy=RecoveryPolicy(out_of_memory=("smaller-tile",)))
    with pytest.raises(ModelTooLarge):
        cache.lease("huge")


def test_a_hopeless_model_evicts_nobody() -> None:
    _, provider = counting(a=300, huge=1000)
    cache = cache_of(provider)
    use(cache, "a")
    with pytest.raises(ModelTooLarge):
        cache.lease("huge")
    assert open_models(cache) == {"a"}


def test_what_others_use_of_a_device_counts() -> None:
    device, provider = counting(a=300)
    device.others_bytes = 600
    with pytest.raises(ModelTooLarge):
        cache_of(provider).lease("a")
    device.others_bytes = 500
    use(cache_of(provider), "a")


def test_in_shared_memory_a_model_may_have_what_others_leave() -> None:
    """A browser that fills most of a machine does not keep a small model out."""
    device = CountingDevice(1000, shared=True)
    provider = CountingProvider(device, {"small": 20, "large": 100})
    device.others_bytes = 920
    cache = cache_of(provider)
    use(cache, "small")
    with pytest.raises(ModelTooLarge):
        cache.lease("large")


def test_two_models_that_are_opened_at_one_time_do_not_pass_the_ceiling() -> None:
    _, provider = counting(a=500, b=500)
    provider.gates["a"] = threading.Event()
    cache = cache_of(provider)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(cache.lease, "a")
        assert provider.entered.acquire(timeout=60)
        with pytest.raises(ModelTooLarge):
            cache.lease("b")
        provider.gates["a"].set()
        cache.release(slow.result(60))
    del slow  # it would keep the model
    use(cache, "b")
    assert open_models(cache) == {"b"}


def test_a_model_that_turns_out_too_large_is_not_kept() -> None:
    device, provider = counting(a=100, b=700)
    provider.surprises["a"] = 180
    cache = cache_of(provider)
    held = cache.lease("b")
    with pytest.raises(ModelTooLarge):
        cache.lease("a")
    device.trim()
    assert device.own_bytes == 700
    cache.release(held)
    del held
    use(cache, "a")
    assert [model.weights_bytes for model in cache.read()[2]] == [280]
    assert device.own_bytes == 280


def test_others_make_room_where_opening_needs_more_than_was_thought() -> None:
    device, provider = counting(a=100, b=400)
    provider.surprises["a"] = 550
    cache = cache_of(provider)
    use(cache, "b")
    use(cache, "a")
    assert open_models(cache) == {"a"}
    assert device.own_bytes == 650


# --- idle and clean-up ------------------------------------------------------------------------------------


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


# --- retiring ---------------------------------------------------------------------------------------------


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


# --- tiles ------------------------------------------------------------------------------------------------


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
