"""Keys that are guessed: an address that has sent too many wrong ones is not listened to for a while."""

import ipaddress
import time
from collections import OrderedDict, deque
from collections.abc import Callable

WRONG_KEYS = 30
"""So many in WINDOW_S, and further keys of that address are not even looked at until the first has aged."""
WINDOW_S = 60.0
REMEMBERED = 10_000
"""Addresses, and pairs of an address and a right key; the oldest are forgotten."""


class KeyGuard:
    """Belongs to one event loop. What was right at an address stays right there: one who guesses behind the
    same proxy keeps out no client that was in before.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()
        self._right: OrderedDict[tuple[str, bytes], None] = OrderedDict()

    def wait_s(self, address: str, digest: bytes) -> float:
        """Seconds for which a key of that address is not looked at; 0 if it is."""
        if (address, digest) in self._right:
            return 0.0
        wrong = self._wrong.get(network_of(address))
        if wrong is None or len(wrong) < WRONG_KEYS:
            return 0.0
        return max(0.0, wrong[0] + WINDOW_S - self._clock())

    def note_right(self, address: str, digest: bytes) -> None:
        self._right[address, digest] = None
        self._right.move_to_end((address, digest))
        if len(self._right) > REMEMBERED:
            self._right.popitem(last=False)

    def note_wrong(self, address: str) -> None:
        network = network_of(address)
        self._wrong.setdefault(network, deque(maxlen=WRONG_KEYS)).append(self._clock())
        self._wrong.move_to_end(network)
        if len(self._wrong) > REMEMBERED:
            self._wrong.popitem(last=False)


def network_of(address: str) -> str:
    """What an address stands for: itself, or for IPv6 its /64, of which one caller has every address."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))
