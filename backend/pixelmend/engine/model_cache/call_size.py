"""How many pixels one call of a network may compute: what ran out of memory is not tried again too soon."""

import math
from collections.abc import Callable

SMALLEST_TILE_PX = 64
"""Back-off halves tiles down to this and then refuses; smaller ones would be nearly all overlap."""
SMALLEST_CALL_PX = SMALLEST_TILE_PX**2

GROW_AFTER_CALLS = 256
"""After so many calls at the limit that succeed, twice as much is tried again."""
MAX_GROW_AFTER_CALLS = 4096


def _as_asked(px: int) -> int:
    return px


def _forget(cap_px: int | None) -> None:
    del cap_px


class CallSizeLimiter:
    """The limit of one network. Not locked; two threads at worst try a size once too often.

    cap_px: remembered from an earlier run of the service. afford: how many of the pixels that are asked for
    the device has memory for now. remember: called with every new cap; None if there is none any more.
    """

    def __init__(
        self,
        cap_px: int | None = None,
        afford: Callable[[int], int] = _as_asked,
        remember: Callable[[int | None], None] = _forget,
    ) -> None:
        self._cap_px = cap_px
        self._afford = afford
        self._remember = remember
        self._failed_px = 2 * cap_px if cap_px else 0
        self._grow_after_calls = GROW_AFTER_CALLS
        self._successes = 0
        self._has_grown = False

    @property
    def cap_px(self) -> int | None:
        """None if nothing has failed."""
        return self._cap_px

    def allowed(self, px: int) -> int:
        """How many of `px` pixels may be computed at once; never fewer than those of the smallest tile."""
        capped = px if self._cap_px is None else min(px, self._cap_px)
        return min(px, max(SMALLEST_CALL_PX, self._afford(capped)))

    def tile_edge(self, edge_px: int) -> int:
        """The longest edge, up to `edge_px`, of a square that may be computed at once."""
        return math.isqrt(self.allowed(edge_px**2))

    def count(self, wanted: int, tile_px: int) -> int:
        """How many of `wanted` tiles may be computed at once; 0 if not even one may."""
        return self.allowed(wanted * tile_px) // tile_px

    def succeeded(self, px: int) -> None:
        """Count a call that fitted. Enough of them at the limit, with memory to spare, raise the limit."""
        if self._cap_px is None or 2 * px <= self._cap_px:
            return
        self._successes += 1
        larger = 2 * self._cap_px
        if self._successes >= self._grow_after_calls and self._afford(larger) >= larger:
            self._successes, self._has_grown = 0, True
            # The size that failed first may fit by now, so a limit of twice that size is no limit.
            self._set_cap(larger if larger < 2 * self._failed_px else None)

    def shrink(self, failed_px: int, cap_px: int) -> None:
        """`failed_px` did not fit, and `cap_px` is the limit from now on."""
        if self._has_grown:  # it grew too soon, so wait longer the next time
            self._grow_after_calls = min(2 * self._grow_after_calls, MAX_GROW_AFTER_CALLS)
        self._successes, self._has_grown = 0, False
        self._failed_px = max(self._failed_px, failed_px)
        self._set_cap(min(cap_px, self._cap_px or cap_px))

    def _set_cap(self, cap_px: int | None) -> None:
        self._cap_px = cap_px
        self._remember(cap_px)
