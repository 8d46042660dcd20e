"""Ports for programs that have to be told one before they start."""

import socket
from contextlib import suppress
from pathlib import Path
from secrets import SystemRandom

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
"""Linux tells here from which range connections get their ports."""
_RANGE_BEGIN = 32768
"""Where that range begins if the system does not tell: Linux's default, below other systems' ranges."""
_COUNT = 12_000


def free_port() -> int:
    """A port of 127.0.0.1 that is free now.

    If the system chose it, another program's connection could take it before it is used. This one lies below
    the range from which connections get their ports.
    """
    end = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else _RANGE_BEGIN
    while True:
        port = SystemRandom().randrange(max(1024, end - _COUNT), end)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
