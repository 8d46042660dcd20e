"""What a call takes of memory, measured on this very process."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from pixelmend.engine.backends.network import KeepsMemory
from pixelmend.engine.model_cache.peak_memory import PeakMemoryProbe, ProbedNetwork
from tests.engine.counting import CountingDevice, CountingNetwork
from tests.engine.networks import colour

MIB = 2**20


class Counter:
    """A counter that a test slots."""

    def __init__(self) -> None:
        self.bytes = 100
        self.peak = 0

    def now_bytes(self) -> int:
        return self.bytes

    def restart(self) -> None:
        self.peak = self.bytes

    def peak_bytes(self) -> int:
        return self.peak

    def take(self, for_a_while: int, for_ever: int = 0) -> None:
        self.peak = max(self.peak, self.bytes + for_a_while + for_ever)
        self.bytes += for_ever


PEAK = """
import numpy as np
from pixelmend.engine.model_cache.peak_memory import PeakMemoryProbe, ProcessCounter

def work():
    return int(np.ones(80 << 20, np.uint8)[-1])

np.ones(200 << 20, np.uint8)  # a peak from before
print(*PeakMemoryProbe(ProcessCounter()).measure(work))
"""


def test_a_peak_that_is_over_by_the_end_is_seen() -> None:
    """In a process of its own: what other tests' threads give back meanwhile would hide as much of a peak."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("this system keeps no peak that can be restarted")
    ran = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True)
    result, peak, kept = map(int, ran.stdout.split())
    assert result == 1
    assert peak == pytest.approx(80 * MIB, rel=0.1)
    assert kept < 20 * MIB


class Gated:
    """A call that begins, and ends when the test lets it."""

    def __init__(self) -> None:
        self.inside = threading.Event()
        self.gate = threading.Event()

    def __call__(self) -> None:
        self.inside.set()
        assert self.gate.wait(60)


def test_a_call_that_is_measured_is_alone_and_others_share_the_device() -> None:
    probe, order = PeakMemoryProbe(Counter()), list[str]()
    one, two = Gated(), Gated()
    with ThreadPoolExecutor(4) as threads:
        calls = [threads.submit(probe.run, one), threads.submit(probe.run, two)]
        assert one.inside.wait(60)
        assert two.inside.wait(60)  # together with the first
        measuring = Gated()
        measured = threads.submit(probe.measure, measuring)
        one.gate.set()
        calls[0].result(60)
        assert not measuring.inside.is_set()
        two.gate.set()
        assert measuring.inside.wait(60)
        late = threads.submit(probe.run, lambda: order.append("late"))
        with pytest.raises(TimeoutError):
            late.result(0.2)
        order.append("measured")
        measuring.gate.set()
        assert measured.result(60) == (None, 0, 0)
        late.result(60)
    assert order == ["measured", "late"]


def test_a_call_that_fails_lets_the_next_one_in() -> None:
    probe = PeakMemoryProbe(Counter())
    for call in (probe.run, probe.measure):
        with pytest.raises(ZeroDivisionError):
            call(lambda: 1 // 0)
    assert probe.run(lambda: 1) == 1
    assert probe.measure(lambda: 1)[0] == 1


def test_larger_calls_are_measured_and_what_earlier_ones_left_is_counted() -> None:
    counter = Counter()
    seen: list[tuple[int, int]] = []

    class Taking(CountingNetwork):
        def run(self, tiles, grey):  # type: ignore[no-untyped-def]
            needed = tiles.shape[1] * tiles.shape[2] * 10
            counter.take(for_a_while=500, for_ever=max(0, needed - self.buffers))
            self.buffers = max(self.buffers, needed)
            return super().run(tiles, grey)

        def release_memory(self) -> None:
            counter.take(for_a_while=0, for_ever=-self.buffers)
            self.buffers = 0

        buffers = 0

    network = ProbedNetwork(
        Taking(CountingDevice(10**6), 1, 0),
        PeakMemoryProbe(counter),
        lambda px, peak: seen.append((px, peak)),
    )
    for side in (8, 4, 8, 16):
        network.run(np.zeros((1, side, side, 3), np.uint8), colour())
    assert seen == [(64, 640 + 500), (256, 2560 + 500)]
    # The cache sees this wrapper, and what lies in it gives its memory back through it.
    assert isinstance(network, KeepsMemory)
    network.release_memory()
    assert counter.bytes == 100
    network.run(np.zeros((1, 32, 32, 3), np.uint8), colour())
    assert seen[2] == (1024, 10240 + 500)
