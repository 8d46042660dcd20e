"""How much new work one caller may ask for in a time."""

import math
import time

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from pixelmend.errors import InvalidParameter, QuotaExceeded


class Quota:
    """Counts in this process's memory: a restart forgives."""

    def __init__(self, name: str, rule: str) -> None:
        """rule: as the `limits` library writes it ("100/hour;10/minute"); empty: no quota.

        Raises InvalidParameter naming the setting.
        """
        self._name = name
        try:
            self._limits: list[RateLimitItem] = parse_many(rule) if rule.strip() else []
        except ValueError as error:
            raise InvalidParameter(f"{name}={rule!r} is no quota; one is 100/hour;10/minute") from error
        self._windows = MovingWindowRateLimiter(MemoryStorage())

    def require(self, caller: str, images: int = 1) -> None:
        """Raises QuotaExceeded where `charge` would; counts nothing."""
        for limit in self._limits:
            if not self._windows.test(limit, caller, cost=images):
                stats = self._windows.get_window_stats(limit, caller)
                left = f"has {stats.remaining} left for {images} images" if images > 1 else "is used up"
                raise QuotaExceeded(
                    f"{self._name}={limit} {left}", max(1, math.ceil(stats.reset_time - time.time()))
                )

    def charge(self, caller: str, images: int = 1) -> None:
        """Count so much work. Raises QuotaExceeded, and counts nothing, where it is too much."""
        self.require(caller, images)
        for limit in self._limits:
            self._windows.hit(limit, caller, cost=images)
