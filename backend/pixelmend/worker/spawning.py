"""A worker's process: how it is started and connected, what it is told, how its end is described."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Protocol

from pixelmend.core.config import SECRET_VARIABLES
from pixelmend.core.config_file import CONFIG_VARIABLE
from pixelmend.core.threads import to_its_end
from pixelmend.worker.protocol import MAX_LINE_BYTES


class WorkerProcess(Protocol):
    """What the supervisor needs of a worker; `subprocess.Popen` has it."""

    pid: int

    def poll(self) -> int | None:
        """The exit status, or None while it runs."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired."""
        ...

    def kill(self) -> None: ...


Spawn = Callable[[socket.socket], WorkerProcess]


def spawn(end: socket.socket) -> subprocess.Popen[bytes]:
    """A worker that talks over that end of a socket pair. Raises OSError if no process can be started."""
    # A fresh interpreter, so that nothing of this process (threads, locks, an event loop) is inherited;
    # a session of its own, so that a terminal's Ctrl-C reaches the API process alone.
    return subprocess.Popen(
        [sys.executable, "-m", "pixelmend.worker.process", str(end.fileno())],
        pass_fds=[end.fileno()],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        env=environment(os.environ),
    )


async def start_connected(start: Spawn) -> tuple[WorkerProcess, asyncio.StreamReader, asyncio.StreamWriter]:
    """A process by `start`, and our end of the socket pair that it talks over. Raises what `start` raises."""
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process = await to_its_end(asyncio.to_thread(start, theirs))
        except BaseException:
            ours.close()
            raise
    reader, writer = await asyncio.open_connection(sock=ours, limit=MAX_LINE_BYTES)
    return process, reader, writer


def environment(ours: Mapping[str, str]) -> dict[str, str]:
    """What a worker is told of ours."""
    # Not the callers' keys, the webhook's, a bucket's or a collector's: this process decodes what strangers
    # send. No configuration file: the worker is told its settings, and a file spoilt meanwhile must not keep
    # it from starting.
    told = {k: v for k, v in ours.items() if not _is_secret(k.upper())}
    told |= {"PYTHONUNBUFFERED": "1", CONFIG_VARIABLE: ""}
    # Threads that spin while they wait for one another starve on a busy machine: docs/adr/0014 and 0029.
    return {"OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"} | told


def _is_secret(name: str) -> bool:
    return name in SECRET_VARIABLES or name.startswith(("AWS_", "OTEL_"))


def in_words(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else type(error).__name__


CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGILL) + (
    (signal.SIGBUS,) if sys.platform != "win32" else ()
)
"""Signals by which a process ends that computes with a broken library or driver, or whose allocation failed
in code that does not expect it. SIGKILL comes from outside, and says nothing against a device.
"""


def has_crashed(code: int) -> bool:
    """code: a process's exit status."""
    return -code in CRASHES


def describe_exit(code: int) -> str:
    if code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return f"ended with status {code}"
