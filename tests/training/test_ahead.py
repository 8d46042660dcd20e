"""What is done ahead of need comes in its order, and nothing is left running."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from training.ahead import ahead


def squares(begun: list[int]) -> Iterator[Callable[[], int]]:
    """Work without an end; ``begun`` says what was taken of it."""
    for number in range(1_000_000):
        begun.append(number)
        yield partial(pow, number, 2)


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_order_and_as_many_are_begun_as_was_said(threads: int) -> None:
    begun: list[int] = []
    results = ahead(squares(begun), threads)
    assert begun == []
    assert [next(results) for _ in range(5)] == [0, 1, 4, 9, 16]
    assert len(begun) == 5 + 2 * threads
    results.close()


def test_two_threads_do_two_things_at_once() -> None:
    together = threading.Barrier(2, timeout=30)
    results = ahead(iter([together.wait] * 4), 2)
    assert len(list(results)) == 4


def test_to_close_waits_for_what_was_begun() -> None:
    may_end, has_ended = threading.Event(), threading.Event()

    def slow() -> None:
        may_end.wait(30)
        has_ended.set()

    results = ahead(iter([lambda: None, slow]), 1)
    next(results)
    threading.Timer(0.2, may_end.set).start()
    results.close()
    assert has_ended.is_set()


def test_an_error_reaches_who_asks_for_the_result() -> None:
    results = ahead(iter([lambda: 1, lambda: 1 // 0, lambda: 3]), 1)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
