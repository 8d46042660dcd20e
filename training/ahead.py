"""Work done before its result is asked for, by threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def ahead(works: Iterator[Callable[[], T]], threads: int) -> Generator[T]:
    """What ``works`` return, in their order; twice as many as there are threads are begun ahead of need.

    ``works`` itself is advanced on the caller's thread. To close the generator waits for what was begun.
    """
    with ThreadPoolExecutor(threads) as pool:
        begun: deque[Future[T]] = deque(pool.submit(work) for work in islice(works, 2 * threads))
        while begun:
            result = begun.popleft().result()
            begun.extend(pool.submit(work) for work in islice(works, 1))
            yield result
