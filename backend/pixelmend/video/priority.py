"""Keeps encoders from running before everything else on the machine.

If root runs it, SVT-AV1 gives the thread that opens it, and all threads of its own, the highest real-time
priority (SCHED_FIFO, 99). The opener keeps it and passes it on to every thread that it begins. If these
spin while they wait for one another, nothing else on the machine runs, and they may wait for ever.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

_TASKS = Path("/proc/self/task")


@contextlib.contextmanager
def usual_priority() -> Iterator[None]:
    """At its end the calling thread, and those that were begun within, are scheduled as it was before."""
    if sys.platform != "linux":
        yield  # encoders leave priorities alone elsewhere
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    others = _tasks()
    try:
        yield
    finally:
        for task in (_tasks() - others) | {threading.get_native_id()}:
            # A thread that was begun within may have ended.
            with contextlib.suppress(ProcessLookupError):
                if os.sched_getscheduler(task) != policy:
                    os.sched_setscheduler(task, policy, parameters)


def _tasks() -> set[int]:
    return {int(entry.name) for entry in _TASKS.iterdir()}
