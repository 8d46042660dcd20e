"""How much new work one caller may ask for in a time."""

import math
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from pixelmend.core.errors import InvalidParameter, QuotaExceeded

if TYPE_CHECKING:
    from limits import RateLimitItem

_FORGET_AFTER_CALLERS = 1000


class Quota:
    """Counts in this process's memory: a restart forgives. By the monotonic clock, so that a machine whose
    clock is set forwards and back locks no caller out.
    """

    def __init__(self, name: str, rule: str, clock_s: Callable[[], float] = time.monotonic) -> None:
        """rule: as the `limits` library writes it ("100/hour;10/minute"); empty: no quota.

        Raises InvalidParameter naming the setting.
        """
        self._name = name
        self._clock_s = clock_s
        try:
            self._limits = _limits_of(rule) if rule.strip() else []
        except ValueError as error:
            raise InvalidParameter(f"{name}={rule!r} is no quota; one is 100/hour;10/minute") from error
        self._longest_s = max((limit.get_expiry() for limit in self._limits), default=0)
        self._charged: dict[str, deque[tuple[float, int]]] = {}
        """By caller: when, and for how many images; oldest first."""
        self._forget_at = _FORGET_AFTER_CALLERS

    def require(self, caller: str, images: int = 1) -> None:
        """Raises QuotaExceeded if `charge` would; counts nothing."""
        now_s = self._clock_s()
        charged = self._charged.get(caller, ())
        for limit in self._limits:
            window_s = limit.get_expiry()
            within = [(at_s, count) for at_s, count in charged if now_s - at_s < window_s]
            left = limit.amount - sum(count for _, count in within)
            if images > left:
                why = f"has {max(0, left)} left for {images} images" if images > 1 else "is used up"
                over_s = within[0][0] + window_s - now_s if within else window_s
                raise QuotaExceeded(f"{self._name}={limit} {why}", max(1, math.ceil(over_s)))

    def charge(self, caller: str, images: int = 1) -> None:
        """Count so much work. Raises QuotaExceeded, and counts nothing, if it is too much."""
        self.require(caller, images)
        if not self._limits:
            return
        now_s = self._clock_s()
        charged = self._charged.setdefault(caller, deque())
        charged.append((now_s, images))
        while now_s - charged[0][0] >= self._longest_s:
            charged.popleft()
        if len(self._charged) >= self._forget_at:
            self._charged = {
                who: charges
                for who, charges in self._charged.items()
                if now_s - charges[-1][0] < self._longest_s
            }
            self._forget_at = max(_FORGET_AFTER_CALLERS, 2 * len(self._charged))


def _limits_of(rule: str) -> "list[RateLimitItem]":
    """Raises ValueError."""
    from limits import parse_many  # most services have no quota, and start faster without it

    return parse_many(rule)
