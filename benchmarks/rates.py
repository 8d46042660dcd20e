"""The matmul rate of the machine beside cases that do not take turns with it."""

import statistics

from benchmarks import work
from benchmarks.contestants import PeerMissing, peer
from benchmarks.context import Context

SIDE = 4096
RUNS = 3


def matmul_rate(context: Context, precision: str) -> float | None:
    """Operations per second, now; call it while nothing else runs. None if there is no PyTorch."""
    arguments = ("--precision", precision, "--side", SIDE, "--threads", context.machine.physical_cores)
    try:
        with peer("matmul", *arguments, folder=context.folder) as process:
            process.wait_until_ready()
            return work.matmul_flop(SIDE) / statistics.median(process.run() for _ in range(RUNS))
    except (PeerMissing, RuntimeError):
        return None


def compact_share_percent(input_pixels: float, seconds: float, rate: float | None) -> float | None:
    """What the compact network's work on so many pixels in so many seconds is of `rate`."""
    if rate is None or seconds <= 0:
        return None
    return 100 * work.flop_per_pixel(work.compact_convolutions()) * input_pixels / seconds / rate
