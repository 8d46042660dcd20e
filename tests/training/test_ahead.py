"""What is done ahead of need comes in its order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from training.ahead import ahead


def squares(begun: list[int]) -> Iterator[Callable[[], int]]:
    """Work without an end; ``begun`` says what was taken of it."""
    for number in range(1_000_000):
        begun.append(number)
        yield partial(pow, number, 2)


def test_results_come_in_order_and_as_many_are_begun_as_was_said() -> None:
    begun: list[int] = []
    with ThreadPoolExecutor(3) as threads:
        results = ahead(squares(begun), threads, 6)
        assert begun == []
        assert [next(results) for _ in range(5)] == [0, 1, 4, 9, 16]
        assert len(begun) == 5 + 6


def test_two_threads_do_two_things_at_once() -> None:
    together = threading.Barrier(2, timeout=30)
    with ThreadPoolExecutor(2) as threads:
        assert len(list(ahead(iter([together.wait] * 4), threads, 2))) == 4


def test_an_error_reaches_who_asks_for_the_result() -> None:
    with ThreadPoolExecutor(1) as threads:
        results = ahead(iter([lambda: 1, lambda: 1 // 0, lambda: 3]), threads, 2)
        assert next(results) == 1
        with pytest.raises(ZeroDivisionError):
            next(results)
