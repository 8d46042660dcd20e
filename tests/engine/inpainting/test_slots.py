"""Small work does not wait behind large work, and large work gets on."""

import threading
import time
from collections.abc import Callable

from pixelmend.engine.inpainting.slots import HALVED_AFTER_S, ComputeSlots


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.001)


class Work(threading.Thread):
    """Computes until it is told to stop, giving way all the while."""

    def __init__(self, slots: ComputeSlots, remaining: float) -> None:
        super().__init__(daemon=True)
        self._slots = slots
        self._remaining = remaining
        self.rounds = 0
        self.finish = threading.Event()
        self.cancelled = False
        self.start()

    def run(self) -> None:
        with self._slots.slot(self._remaining, lambda: self.cancelled) as slot:
            while not self.finish.is_set() and not self.cancelled:
                slot.pause_for_smaller(lambda: self.cancelled)
                self.rounds += 1
                time.sleep(0.001)

    def computes(self) -> bool:
        before = self.rounds
        time.sleep(0.05)
        return self.rounds > before


def test_the_smaller_one_goes_first_and_the_larger_one_goes_on_after_it() -> None:
    slots = ComputeSlots(1, clock=lambda: 0.0)
    large = Work(slots, 1000)
    until(lambda: large.computes())
    small = Work(slots, 10)
    until(lambda: small.computes())
    until(lambda: not large.computes())
    equal = Work(slots, 9)  # gives way to nothing, and nothing gives way to it
    assert not equal.computes()
    assert small.computes()
    small.finish.set()
    until(lambda: equal.computes())
    equal.finish.set()
    until(lambda: large.computes())
    large.finish.set()
    for work in (large, small, equal):
        work.join(30)
        assert not work.is_alive()


def test_what_has_waited_long_enough_is_small() -> None:
    now_s = 0.0
    slots = ComputeSlots(1, clock=lambda: now_s)
    small = Work(slots, 10)
    until(lambda: small.computes())
    large = Work(slots, 1000)
    assert not large.computes()
    now_s = 10 * HALVED_AFTER_S
    until(lambda: large.computes())
    until(lambda: not small.computes())
    assert large.computes()
    now_s += 2 * HALVED_AFTER_S  # it has had its while
    until(lambda: small.computes())
    now_s += 10 * HALVED_AFTER_S
    until(lambda: large.computes())
    until(lambda: not small.computes())
    small.cancelled = True  # while it waits
    small.join(30)
    assert not small.is_alive()
    large.finish.set()
    large.join(30)
    assert not large.is_alive()


def test_there_are_so_many_places() -> None:
    slots = ComputeSlots(2)
    works = [Work(slots, 100) for _ in range(3)]
    until(lambda: sum(work.rounds > 0 for work in works) == 2)
    time.sleep(0.1)
    assert sum(work.rounds > 0 for work in works) == 2
    for work in works:
        work.finish.set()
    for work in works:
        work.join(30)
        assert not work.is_alive()
