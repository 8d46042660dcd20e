"""Inputs that end workers, by the digest of their bytes."""

from collections import OrderedDict

from pixelmend.core.errors import InputQuarantined

MAX_CRASHES = 2
"""An input in which this many workers ended by themselves, the last time alone, is not tried again."""
REMEMBERED = 1000


class Quarantine:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._digests: OrderedDict[str, None] = OrderedDict()

    def add(self, digest: str) -> None:
        self._digests[digest] = None
        while len(self._digests) > REMEMBERED:
            self._digests.popitem(last=False)

    def require_absent(self, digest: str) -> None:
        """Raises InputQuarantined."""
        if digest in self._digests:
            raise InputQuarantined(f"this input (sha256 {digest[:12]}) has ended {MAX_CRASHES} workers")
