"""Work done before its result is asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def ahead(works: Iterator[Callable[[], T]], executor: Executor, depth: int) -> Iterator[T]:
    """What ``works`` return, in their order; ``executor`` is given ``depth`` of them ahead of need.

    ``works`` itself is advanced on the caller's thread.
    """
    begun: deque[Future[T]] = deque(executor.submit(work) for work in islice(works, depth))
    while begun:
        result = begun.popleft().result()
        begun.extend(executor.submit(work) for work in islice(works, 1))
        yield result
