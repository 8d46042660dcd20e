"""Who computes next, of work that cannot be cut into tiles: least remaining work first, as on the device."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HALVED_AFTER_S = 5.0
"""What waits counts as half as much after so long: large work gets on beside small that never ceases."""
WORTH_IT = 0.5
"""Work gives way to what counts as less than this share of it, and not to its equal."""
_LOOK_PERIOD_S = 0.2


class Turn:
    """One piece of work. `remaining` is kept up to date by the thread that does it."""

    def __init__(self, turns: "Turns", remaining: float) -> None:
        self._turns = turns
        self.remaining = remaining
        self.since_s = 0.0
        """When it began to wait, or to compute."""
        self.granted = remaining
        """As what it counted when it began to compute: that holds for a while, or it had waited in vain."""

    def give_way(self, cancelled: Callable[[], bool]) -> None:
        """Called several times a second: pauses while something smaller goes first."""
        self._turns.give_way(self, cancelled)


class Turns:
    """So many pieces of work compute at one time. Used by many threads."""

    def __init__(self, places: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._places = places
        self._clock = clock
        self._changed = threading.Condition()
        self._computing: set[Turn] = set()
        self._waiting: set[Turn] = set()

    @contextmanager
    def turn(self, remaining: float, cancelled: Callable[[], bool]) -> Iterator[Turn]:
        """remaining: the work, in any unit that all have in common. Begins when it is this one's turn."""
        turn = Turn(self, remaining)
        with self._changed:
            self._wait_for(turn, cancelled)
        try:
            yield turn
        finally:
            with self._changed:
                self._computing.discard(turn)
                self._changed.notify_all()

    def give_way(self, turn: Turn, cancelled: Callable[[], bool]) -> None:
        with self._changed:
            now_s = self._clock()
            own = turn.remaining
            if now_s - turn.since_s < HALVED_AFTER_S:
                own = min(own, turn.granted)
            if any(self._weight(other, now_s) < WORTH_IT * own for other in self._waiting):
                self._computing.discard(turn)
                self._changed.notify_all()
                self._wait_for(turn, cancelled)

    def _wait_for(self, turn: Turn, cancelled: Callable[[], bool]) -> None:
        """With the lock. Work that is cancelled waits no longer; it ends by itself."""
        turn.since_s = self._clock()
        self._waiting.add(turn)
        try:
            while not self._may_begin(turn) and not cancelled():
                self._changed.wait(_LOOK_PERIOD_S)
        finally:
            self._waiting.discard(turn)
        now_s = self._clock()
        turn.granted, turn.since_s = self._weight(turn, now_s), now_s
        self._computing.add(turn)

    def _may_begin(self, turn: Turn) -> bool:
        now_s = self._clock()
        first = min(self._waiting, key=lambda other: self._weight(other, now_s))
        return first is turn and len(self._computing) < self._places

    def _weight(self, turn: Turn, now_s: float) -> float:
        return float(turn.remaining * 0.5 ** ((now_s - turn.since_s) / HALVED_AFTER_S))
