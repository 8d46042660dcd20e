"""From the start of the process to the first moment at which it takes work."""

import statistics
import time

from benchmarks.context import Context
from benchmarks.report import Row, at_most
from tests.service import running_service

POLL_S = 0.01


def start(context: Context) -> list[Row]:
    """On the CPU with the embedded model."""
    seconds = []
    for index in range(context.repeats(5, 2)):
        folder = context.folder / f"start-{index}"
        folder.mkdir()
        began_s = time.perf_counter()
        with running_service(folder, wait_for_port_only=True) as service:
            while service.client.get("/readyz").status_code != 200:
                if service.process.poll() is not None:
                    raise RuntimeError(f"the service ended: {service.log[-500:]}")
                time.sleep(POLL_S)
            seconds.append(time.perf_counter() - began_s)
        context.ran("start", seconds[-1])
    return [
        Row(
            "process start to ready, embedded model",
            statistics.median(seconds),
            "s",
            at_most(5, "s"),
            f"{min(seconds):.2f} to {max(seconds):.2f} s in {len(seconds)} starts",
            {"seconds": seconds},
        )
    ]
