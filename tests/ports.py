"""Ports for programs that have to be told one before they start."""

import socket
from contextlib import suppress
from pathlib import Path
from secrets import SystemRandom

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_FIRST_PASSING = 32768
"""Where the system's own choice begins, if it does not tell; Linux's default, and below those of others."""
_COUNT = 12_000


def free_port() -> int:
    """Of 127.0.0.1, free now. Unlike one of the system's choice, it does not go to a connection of another
    program before it is used: those get ports from a range that begins above it.
    """
    end = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else _FIRST_PASSING
    while True:
        port = SystemRandom().randrange(max(1024, end - _COUNT), end)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
