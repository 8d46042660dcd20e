"""Who computes next, of work that cannot be cut into tiles: least remaining work first, as on the device."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HALVED_AFTER_S = 5.0
"""The weight of waiting work halves in this time, so that large work makes progress beside a stream of
small."""
PAUSE_BELOW = 0.5
"""Work pauses for work that weighs less than this share of it, and not for its equal."""
_POLL_PERIOD_S = 0.2


class Slot:
    """One piece of work. `remaining` is kept up to date by the thread that does it.

    since_s: when it began to wait, or to compute. granted: its weight when it began to compute. That weight
    holds for a while, or the work would lose its slot as soon as it got it.
    """

    def __init__(self, slots: "ComputeSlots", remaining: float) -> None:
        self._slots = slots
        self.remaining = remaining
        self.since_s = 0.0
        self.granted = remaining

    def pause_for_smaller(self, cancelled: Callable[[], bool]) -> None:
        """Called several times a second: waits while much smaller work is computed first."""
        self._slots.pause_for_smaller(self, cancelled)


class ComputeSlots:
    """Lets `count` pieces of work compute at one time. Used by many threads."""

    def __init__(self, count: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._count = count
        self._clock = clock
        self._changed = threading.Condition()
        self._computing: set[Slot] = set()
        self._waiting: set[Slot] = set()

    @contextmanager
    def slot(self, remaining: float, cancelled: Callable[[], bool]) -> Iterator[Slot]:
        """Waits for a slot. remaining: the work to do, in any unit that all pieces of work have in common."""
        slot = Slot(self, remaining)
        with self._changed:
            self._wait_for(slot, cancelled)
        try:
            yield slot
        finally:
            with self._changed:
                self._computing.discard(slot)
                self._changed.notify_all()

    def pause_for_smaller(self, slot: Slot, cancelled: Callable[[], bool]) -> None:
        with self._changed:
            now_s = self._clock()
            own = slot.remaining
            if now_s - slot.since_s < HALVED_AFTER_S:
                own = min(own, slot.granted)
            if any(self._weight(other, now_s) < PAUSE_BELOW * own for other in self._waiting):
                self._computing.discard(slot)
                self._changed.notify_all()
                self._wait_for(slot, cancelled)

    def _wait_for(self, slot: Slot, cancelled: Callable[[], bool]) -> None:
        """Called with the lock held. Cancelled work waits no longer and ends by itself."""
        slot.since_s = self._clock()
        self._waiting.add(slot)
        try:
            while not self._may_begin(slot) and not cancelled():
                self._changed.wait(_POLL_PERIOD_S)
        finally:
            self._waiting.discard(slot)
        now_s = self._clock()
        slot.granted, slot.since_s = self._weight(slot, now_s), now_s
        self._computing.add(slot)

    def _may_begin(self, slot: Slot) -> bool:
        now_s = self._clock()
        first = min(self._waiting, key=lambda other: self._weight(other, now_s))
        return first is slot and len(self._computing) < self._count

    def _weight(self, slot: Slot, now_s: float) -> float:
        return float(slot.remaining * 0.5 ** ((now_s - slot.since_s) / HALVED_AFTER_S))
