"""The sockets of a service, bound before it starts: what keeps it from listening is said at once."""

import errno
import os
import socket

from pixelmend.core.errors import InvalidParameter

_ABSENT = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def bound_sockets(host: str, port: int) -> list[socket.socket]:
    """One for each address of ``host``; an empty one is all of this machine, and port 0 any that is free.

    They listen once a server has them. Raises InvalidParameter.
    """
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise InvalidParameter(f"host={host!r} cannot be looked up: {error.strerror}") from error
    sockets: list[socket.socket] = []
    absent: OSError | None = None
    for family, _, _, _, address in dict.fromkeys(found):
        try:
            sockets.append(_bound(family, address))
        except OSError as error:
            # "localhost" has an address of IPv6 on machines without IPv6 too.
            if error.errno not in _ABSENT:
                for each in sockets:
                    each.close()
                raise InvalidParameter(_words(error, str(address[0]), port)) from error
            absent = error
    if absent is not None and not sockets:
        raise InvalidParameter(_words(absent, host, port)) from absent
    return sockets


def url_of(listening: socket.socket) -> str:
    """Where browsers find it: `http://127.0.0.1:8000`."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if listening.family == socket.AF_INET6 else f"http://{host}:{port}"


def _bound(family: socket.AddressFamily | int, address: tuple[object, ...]) -> socket.socket:
    """As asyncio binds: a port is free at once after a stop, and IPv6 does not stand for IPv4 as well."""
    own = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            own.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        own.setblocking(False)
        own.bind(address)
    except OSError:
        own.close()
        raise
    return own


def _words(error: OSError, address: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port={port} of {address} is in use by another program; --port or PIXELMEND_PORT names another"
        )
    if error.errno == errno.EACCES:
        return f"port={port}: this user may not listen on it; --port or PIXELMEND_PORT names one from 1024 on"
    if error.errno in _ABSENT:
        return f"host={address!r} is no address of this machine; 0.0.0.0 is all of its addresses"
    return f"cannot listen at host={address!r}, port={port}: {error.strerror}"
