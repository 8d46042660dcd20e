"""Models are kept while leased or pinned, and evicted if their memory is needed."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pixelmend.core.config_values import RecoveryAction
from pixelmend.core.errors import ModelTooLarge
from pixelmend.engine.recovery.policy import RecoveryPolicy
from tests.engine.counting import (
    Clock,
    CountingDevice,
    CountingProvider,
    cache_of,
    counting,
    open_models,
    use,
)


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
