"""Whatever is asked of a cache, in whatever order: who is in use stays, and the bytes add up."""

import gc
import threading

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pixelmend.core.errors import ModelHeld, ModelTooLarge
from pixelmend.engine.model_cache.open_models import Hold, OpenModel
from tests.engine.counting import Clock, CountingDevice, CountingProvider, cache_of

MODELS = {"a": 100, "b": 200, "c": 300, "d": 500, "e": 850}
NAMES = st.sampled_from(sorted(MODELS))
CEILING = 900


class Administration(RuleBasedStateMachine):
    """`leased` is what the outside holds; the cache must never disagree with it."""

    def __init__(self) -> None:
        super().__init__()
        gc.collect()
        gc.freeze()  # the cache collects after every eviction; only its own models are worth looking at
        self.clock = Clock()
        self.device = CountingDevice(1000)
        self.cache = cache_of(CountingProvider(self.device, MODELS), self.clock)
        self.leased: list[OpenModel] = []
        self.pinned: set[str] = set()
        self.held: set[str] = set()
        self.retired: list[tuple[OpenModel, threading.Event]] = []

    def teardown(self) -> None:
        gc.unfreeze()

    @rule(name=NAMES)
    def lease(self, name: str) -> None:
        self.clock.now_s += 1
        try:
            opened = self.cache.lease(name)
        except ModelTooLarge:
            return
        assert not opened.retired
        assert not opened.closed.is_set()
        self.leased.append(opened)

    @precondition(lambda self: self.leased)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        opened = self.leased.pop(data.draw(st.integers(0, len(self.leased) - 1)))
        self.cache.release(opened)

    @rule(name=NAMES, pinned=st.booleans())
    def pin(self, name: str, pinned: bool) -> None:
        try:
            self.cache.pin(name, pinned)
        except ModelTooLarge:
            return
        (self.pinned.add if pinned else self.pinned.discard)(name)

    @rule(name=NAMES)
    def unload(self, name: str) -> None:
        try:
            events = self.cache.retire(name).closing
        except ModelHeld:
            assert name in self.pinned | self.held
            return
        assert name not in self.pinned | self.held
        in_use = {id(o) for o in self.leased if o.key.id == name}
        assert len(events) == len(in_use)

    @rule(name=NAMES, yielding=st.booleans())
    def hold(self, name: str, yielding: bool) -> None:
        self.cache.hold(name, Hold({name: 1}, yielding))
        self.held.add(name)

    @rule(name=NAMES)
    def drop(self, name: str) -> None:
        assert self.cache.end_hold(name) <= {name} - self.pinned
        self.held.discard(name)

    @rule(seconds=st.sampled_from([0.0, 20.0, 2000.0]))
    def collect(self, seconds: float) -> None:
        self.clock.now_s += seconds
        self.cache.collect()
        assert self.device.own_bytes <= sum(model.bytes for model in self.cache.read()[2])

    @rule()
    def free_unused(self) -> None:
        self.cache.free_unused()

    @invariant()
    def leased_and_pinned_models_are_open(self) -> None:
        models = self.cache.read()[2]
        for opened in self.leased:
            assert not opened.closed.is_set()
            assert sum(other is opened for other in self.leased) == opened.leases
        assert sum(model.leases for model in models) == len(self.leased)
        assert self.pinned <= {model.model for model in models if not model.leaving}
        assert all(model.leases for model in models if model.leaving)

    @invariant()
    def bytes_add_up_and_the_ceiling_holds(self) -> None:
        models = self.cache.read()[2]
        accounted = sum(model.bytes for model in models)
        assert accounted <= CEILING
        assert self.cache._models.accounted_bytes == accounted


TestAdministration = pytest.mark.full(Administration.TestCase)
TestAdministration.settings = settings(
    max_examples=30, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
