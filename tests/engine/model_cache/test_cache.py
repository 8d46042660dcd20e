"""Which models are open: opened once, kept while leased or pinned, let go where their memory is needed."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch

from pixelmend.core.errors import ModelHeld, ModelTooLarge, ModelUnusable, UnknownModel
from pixelmend.core.telemetry import Logger
from pixelmend.engine.device import cpu_device
from pixelmend.engine.memory import HostMemory
from pixelmend.engine.model_cache.cache import ModelManager
from pixelmend.engine.model_cache.eviction import MemoryLimits
from pixelmend.engine.model_cache.memory_profile import LearnedFigures
from pixelmend.engine.model_cache.provider import CatalogStock
from pixelmend.models.catalog import Catalog, load_catalog
from tests.engine.accounting import (
    DEVICE,
    SMALLEST_PX,
    Clock,
    CountingDevice,
    CountingNetwork,
    CountingStock,
    manager_of,
    open_models,
    use,
)
from tests.engine.networks import colour, compact_state
from tests.imaging.samples import noise

NAMES = [f"model-{i}" for i in range(6)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed, name in enumerate(NAMES):
        safetensors.torch.save_file(compact_state(seed=seed), tmp_path / f"{name}.safetensors")
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


def on_the_cpu(gate: Gate, learned: LearnedFigures | None = None) -> ModelManager:
    device = cpu_device()
    stock = CatalogStock(gate, device, "float32", learned or LearnedFigures(None, Logger()))
    return ModelManager(stock, device, HostMemory(), MemoryLimits())


def counting(capacity: int = 1000, **models: int) -> tuple[CountingDevice, CountingStock]:
    device = CountingDevice(capacity)
    return device, CountingStock(device, models)


# --- on the CPU -------------------------------------------------------------------------------------------


def test_a_model_is_opened_once_for_all_who_want_it_at_one_time(folder: Path) -> None:
    gate = Gate(folder)
    manager = on_the_cpu(gate)
    with ThreadPoolExecutor(4) as threads:
        leases = list(threads.map(manager.lease, [NAMES[0]] * 8))
    assert gate.reads == 1
    assert all(lease is leases[0] for lease in leases)
    assert leases[0].leases == 8


def test_opening_one_model_does_not_hold_up_those_who_want_another(folder: Path) -> None:
    gate = Gate(folder)
    manager = on_the_cpu(gate)
    manager.release(manager.lease(NAMES[0]))
    gate.open.clear()
    assert gate.entered.acquire(timeout=60)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(manager.lease, NAMES[1])
        assert gate.entered.acquire(timeout=60)
        manager.release(manager.lease(NAMES[0]))
        assert not slow.done()
        gate.open.set()
        assert slow.result(60).model.id == NAMES[1]


def test_a_model_that_could_not_be_opened_is_tried_again(folder: Path) -> None:
    manager = on_the_cpu(Gate(folder))
    path = folder / f"{NAMES[0]}.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    with pytest.raises(ModelUnusable):
        manager.lease(NAMES[0])
    path.write_bytes(whole)
    assert manager.lease(NAMES[0]).leases == 1
    with pytest.raises(UnknownModel):
        manager.lease("nobody")


def test_what_a_model_takes_is_measured_and_told(folder: Path) -> None:
    manager = on_the_cpu(Gate(folder))
    opened = manager.lease(NAMES[0])
    opened.runner.run(noise(256, 256, 3)[None], colour())
    learned = opened.figures.learned_bytes_per_px
    assert learned is not None
    assert learned > 8  # at the very least the output: 2x2 pixels of 3 bytes, if not found left over
    described = {model.id: model for model in manager.describe()}[NAMES[0]]
    assert (described.loaded, described.leases, described.bytes_per_tile_px) == (True, 1, learned)
    assert described.bytes == opened.bytes
    assert described.weights_bytes is not None
    assert 0 < described.weights_bytes < opened.bytes


# --- eviction ---------------------------------------------------------------------------------------------


def test_the_least_recently_used_goes_where_its_bytes_are_needed() -> None:
    clock = Clock()
    _, stock = counting(a=200, b=200, c=200, d=200)
    manager = manager_of(stock, clock)
    for name in "abca":
        clock.now_s += 1
        use(manager, name)
    assert open_models(manager) == {"a", "b", "c"}
    use(manager, "d")
    assert open_models(manager) == {"a", "c", "d"}
    assert manager.recoveries.counts().evicted == 1


def test_leased_and_pinned_models_stay_and_the_refusal_names_the_figures() -> None:
    _, stock = counting(a=300, b=300, c=300)
    manager = manager_of(stock)
    manager.pin("a", True)
    lease = manager.lease("b")
    with pytest.raises(ModelTooLarge, match=r"'c' needs an estimated .*max_memory_usage_percent=90"):
        manager.lease("c")
    assert open_models(manager) == {"a", "b"}
    manager.release(lease)
    use(manager, "c")
    assert open_models(manager) == {"a", "c"}
    manager.pin("a", False)
    use(manager, "b")
    assert open_models(manager) == {"b", "c"}


def test_a_hopeless_model_evicts_nobody() -> None:
    _, stock = counting(a=300, huge=1000)
    manager = manager_of(stock)
    use(manager, "a")
    with pytest.raises(ModelTooLarge):
        manager.lease("huge")
    assert open_models(manager) == {"a"}


def test_what_others_use_of_a_device_counts() -> None:
    device, stock = counting(a=300)
    device.others_bytes = 600
    with pytest.raises(ModelTooLarge):
        manager_of(stock).lease("a")
    device.others_bytes = 500
    use(manager_of(stock), "a")


def test_in_shared_memory_a_model_may_have_what_others_leave() -> None:
    """A browser that fills most of a machine does not keep a small model out."""
    device = CountingDevice(1000, shared=True)
    stock = CountingStock(device, {"small": 20, "large": 100})
    device.others_bytes = 920
    manager = manager_of(stock)
    use(manager, "small")
    with pytest.raises(ModelTooLarge):
        manager.lease("large")


def test_two_models_that_are_opened_at_one_time_do_not_pass_the_ceiling() -> None:
    _, stock = counting(a=500, b=500)
    stock.gates["a"] = threading.Event()
    manager = manager_of(stock)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(manager.lease, "a")
        assert stock.entered.acquire(timeout=60)
        with pytest.raises(ModelTooLarge):
            manager.lease("b")
        stock.gates["a"].set()
        manager.release(slow.result(60))
    del slow  # it would keep the model
    use(manager, "b")
    assert open_models(manager) == {"b"}


def test_a_model_that_turns_out_too_large_is_not_kept() -> None:
    device, stock = counting(a=100, b=700)
    stock.surprises["a"] = 180
    manager = manager_of(stock)
    held = manager.lease("b")
    with pytest.raises(ModelTooLarge):
        manager.lease("a")
    device.give_back()
    assert device.own_bytes == 700
    manager.release(held)
    del held
    use(manager, "a")
    assert [model.weights_bytes for model in manager.read()[2]] == [280]
    assert device.own_bytes == 280


def test_others_make_room_where_opening_needs_more_than_was_thought() -> None:
    device, stock = counting(a=100, b=400)
    stock.surprises["a"] = 550
    manager = manager_of(stock)
    use(manager, "b")
    use(manager, "a")
    assert open_models(manager) == {"a"}
    assert device.own_bytes == 650


# --- idle and clean-up ------------------------------------------------------------------------------------


def test_idle_models_go_and_used_ones_stay() -> None:
    clock = Clock()
    _, stock = counting(a=100, b=100, c=100)
    manager = manager_of(stock, clock, MemoryLimits(idle_s=60))
    lease = manager.lease("a")
    manager.pin("b", True)
    use(manager, "c")
    clock.now_s += 59
    assert manager.housekeep() == 0
    clock.now_s += 1
    assert manager.housekeep() == 1
    assert open_models(manager) == {"a", "b"}
    manager.release(lease)
    assert manager.housekeep() == 0  # idle from its release on
    clock.now_s += 60
    assert manager.housekeep() == 1


def test_above_the_threshold_unused_models_go_until_below_the_oldest_first() -> None:
    clock = Clock()
    device, stock = counting(a=200, b=200, c=200)
    manager = manager_of(stock, clock)
    for name in "abc":
        use(manager, name)
        clock.now_s += 100
    assert manager.housekeep() == 0
    device.others_bytes = 130  # 130 + 3 * 241 = 853 of 850
    assert manager.housekeep() == 1
    assert open_models(manager) == {"b", "c"}
    assert manager.housekeep() == 0


def test_clean_up_can_be_turned_off_and_spares_what_was_just_used() -> None:
    clock = Clock()
    device, stock = counting(a=200)
    device.others_bytes = 650
    tidy = manager_of(stock, clock)
    untidy = manager_of(CountingStock(device, {}), clock, MemoryLimits(cleanup_percent=None))
    use(tidy, "a")
    assert tidy.housekeep() == 0
    clock.now_s += 60
    assert untidy.housekeep() == 0
    assert tidy.housekeep() == 1


# --- leaving ----------------------------------------------------------------------------------------------


def test_unloading_waits_for_the_last_lease() -> None:
    device, stock = counting(a=100)
    manager = manager_of(stock)
    leases = [manager.lease("a"), manager.lease("a")]
    with ThreadPoolExecutor(1) as threads:
        unloading = threads.submit(manager.unload, "a")
        assert device.gave_back.acquire(timeout=60)
        assert leases[0].leaving
        manager.release(leases[0])
        assert not unloading.done()
        assert not leases[1].gone.is_set()
        manager.release(leases[1])
        unloading.result(60)
    assert manager.read()[2] == ()


def test_a_leaving_model_gets_no_new_lease_and_its_bytes_count_until_it_is_gone() -> None:
    _, stock = counting(a=400)
    manager = manager_of(stock)
    old = manager.lease("a")
    (gone,) = manager.leave("a")
    new = manager.lease("a")
    assert new is not old
    assert old.leases == 1
    (again,) = manager.leave("a")[1:]
    with pytest.raises(ModelTooLarge):
        manager.lease("a")
    assert not gone.is_set()
    manager.release(old)
    manager.release(new)
    assert gone.is_set()
    assert again.is_set()


def test_a_pinned_model_is_not_unloaded_and_an_unknown_one_not_pinned() -> None:
    _, stock = counting(a=100)
    manager = manager_of(stock)
    manager.pin("a", True)
    with pytest.raises(ModelHeld, match="'a' is pinned"):
        manager.unload("a")
    manager.pin("a", False)
    manager.unload("a")
    assert open_models(manager) == set()
    with pytest.raises(UnknownModel):
        manager.pin("nobody", True)


# --- tiles ------------------------------------------------------------------------------------------------


def network_of(stock: CountingStock, manager: ModelManager, side_px: int, count: int) -> list[int]:
    opened = manager.lease("a")
    opened.runner.run(np.zeros((count, side_px, side_px, 3), np.uint8), colour(count))
    network = opened.network
    assert isinstance(network, CountingNetwork)
    manager.release(opened)
    return network.calls_px


def test_a_batch_has_what_the_ceiling_leaves_and_the_first_call_is_one_tile() -> None:
    _, stock = counting(10_000, a=1000)
    stock.bytes_per_px = 1.0
    manager = manager_of(stock)
    stock.learned.measured(stock.figure_key("a"), SMALLEST_PX, SMALLEST_PX)
    assert network_of(stock, manager, 64, 5) == [SMALLEST_PX] * 5  # 8000 B are left, 4096 for one
    _, stock = counting(100_000, a=1000)
    stock.bytes_per_px = 1.0
    manager = manager_of(stock)
    assert network_of(stock, manager, 64, 5) == [SMALLEST_PX] * 5  # nothing was measured yet
    stock.learned.measured(stock.figure_key("a"), SMALLEST_PX, SMALLEST_PX)
    assert network_of(stock, manager, 64, 5)[5:] == [4 * SMALLEST_PX, SMALLEST_PX]  # no more in one step
    assert manager.read()[2][0].bytes == 1000 + 4 * SMALLEST_PX


def test_what_did_not_fit_is_remembered_by_the_next_run_of_the_service() -> None:
    device, stock = counting(100_000, a=1000)
    stock.bytes_per_px = 1.0
    manager = manager_of(stock, first_call_px=4 * SMALLEST_PX)
    stock.hungrier = 10  # than anybody thought
    assert network_of(stock, manager, 64, 4) == [2 * SMALLEST_PX, 2 * SMALLEST_PX]
    again = CountingStock(device, stock.models, 1.0)
    again.learned = stock.learned
    again.hungrier = 10
    assert manager.recoveries.counts().smaller == 1
    manager.unload("a")
    next_run = manager_of(again, first_call_px=4 * SMALLEST_PX)
    assert network_of(again, next_run, 64, 4) == [2 * SMALLEST_PX, 2 * SMALLEST_PX]
    assert next_run.recoveries.counts().smaller == 0


def test_two_calls_at_one_time_need_twice_the_memory() -> None:
    device, stock = counting(10_000, a=1000)
    stock.bytes_per_px = 1.0
    stock.learned.measured(stock.figure_key("a"), SMALLEST_PX, SMALLEST_PX)
    manager = ModelManager(
        stock, DEVICE, device, MemoryLimits(), first_call_px=SMALLEST_PX, calls_at_once=2, clock=Clock()
    )
    opened = manager.lease("a")
    assert opened.bytes == 1000 + SMALLEST_PX  # 8000 are left, and two calls would need 8192
    assert opened.runner.limit.allowed(2 * SMALLEST_PX) == SMALLEST_PX
    assert opened.bytes <= 9000


def test_where_memory_is_short_a_model_runs_on_smaller_tiles() -> None:
    _, stock = counting(10_000, a=1000)
    stock.bytes_per_px = 1.0
    manager = manager_of(stock, first_call_px=256**2)
    opened = manager.lease("a")
    assert 64 <= opened.runner.limit.tile_edge(256) < 90
    assert opened.bytes <= 9000


def test_what_was_promised_before_it_was_measured_shrinks_to_what_is_needed() -> None:
    _, stock = counting(capacity=100_000, small=10)
    stock.bytes_per_px = 1.0
    manager = manager_of(stock)
    leased = manager.lease("small")
    assert leased.bytes == 10 + SMALLEST_PX
    stock.learned.measured(stock.figure_key("small"), SMALLEST_PX, SMALLEST_PX // 4)
    manager.housekeep()
    assert leased.bytes == 10 + SMALLEST_PX, "a job that runs has lost its promise"
    manager.release(leased)
    manager.housekeep()
    assert [model.bytes for model in manager.read()[2]] == [10 + SMALLEST_PX // 4]
