"""The networks that can compute a tile, the preferred one first; others are opened when they are needed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pixelmend.core.config_values import RecoveryAction
from pixelmend.engine.backends.network import TileNetwork
from pixelmend.engine.model_cache.call_size import CallSizeLimiter


@dataclass(frozen=True, slots=True)
class FallbackNetwork:
    """A network to fall back on, opened when it is first needed. reached_by: the action that leads to it."""

    open: Callable[[], TileNetwork]
    reached_by: RecoveryAction = "other-device"


class FallbackChain:
    """Links are counted from 0. Each has a limit of its own to what one call may compute."""

    def __init__(
        self, links: Sequence[Callable[[], TileNetwork] | FallbackNetwork], limit: CallSizeLimiter
    ) -> None:
        """limit: of the first link."""
        self._links = [link if isinstance(link, FallbackNetwork) else FallbackNetwork(link) for link in links]
        self._opened: dict[int, TileNetwork] = {}
        self.limits = [limit, *(CallSizeLimiter() for _ in self._links[1:])]

    def open(self, link: int) -> TileNetwork:
        if link not in self._opened:
            self._opened[link] = self._links[link].open()
        return self._opened[link]

    def after(self, link: int, action: RecoveryAction) -> Iterator[int]:
        """The later links that an action leads to."""
        for other in range(link + 1, len(self._links)):
            if self._links[other].reached_by == action:
                yield other
