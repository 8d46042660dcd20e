"""Refuses what pages of other sites would have a visitor's browser do to this service.

Two checks, as pure ASGI middleware. The host by which the service is called has to be one of its own: a page
whose name was made to lead here (DNS rebinding) would otherwise be of the same origin. And a request that
changes something has to come from a page of the service itself, from an origin that `cors_origins` names, or
from no page at all: a browser sends simple POSTs across sites without asking.
"""

import ipaddress
import re
import socket
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from pixelmend.api.cors import named_origins
from pixelmend.api.errors import problem_for
from pixelmend.core.errors import CrossSiteRequest, PixelmendError, UnknownHost
from pixelmend.jobs.metrics import Metrics

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_INSIDE = (".localhost", ".local", ".internal", ".home.arpa")
_WITHOUT_A_DOT = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class SameSite:
    """allowed_hosts, cors_origins: as the settings of these names."""

    def __init__(self, app: ASGIApp, allowed_hosts: str, cors_origins: str, metrics: Metrics) -> None:
        self._app = app
        self._hosts = Hosts(allowed_hosts)
        self._origins = frozenset(origin.lower() for origin in named_origins(cors_origins))
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
            return
        self._metrics.request_refused(refusal.code)
        await problem_for(refusal, retry_after_s=0)(scope, receive, send)

    def _refusal(self, scope: Scope) -> PixelmendError | None:
        headers = Headers(scope=scope)
        for host in headers.getlist("host"):
            if not self._hosts.has(host):
                return UnknownHost(
                    f"this service is not known as {host[:100]!r}; names by which it is reached belong into "
                    "PIXELMEND_ALLOWED_HOSTS"
                )
        if scope["method"] in _SAFE_METHODS:
            return None
        return self._foreign(headers)

    def _foreign(self, headers: Headers) -> PixelmendError | None:
        origin = headers.get("origin")
        if "*" in self._origins or (origin is not None and origin.lower() in self._origins):
            return None
        # Set by the browser and by no page; it knows better than a comparison of names behind a proxy.
        site = headers.get("sec-fetch-site")
        if site is not None:
            is_own = site in ("same-origin", "none")
        else:
            is_own = origin is None or _is_same(origin, headers.get("host", ""))
        if is_own:
            return None
        return CrossSiteRequest(
            f"a page of {(origin or 'another site')[:100]!r} asked for it; origins whose pages may use the "
            "service belong into PIXELMEND_CORS_ORIGINS"
        )


class Hosts:
    """Names by which the service may be called: this machine's, configured ones, and all that have no owner.

    Only its owner can make a name lead here. Addresses have none, and neither have names without a dot and
    those reserved for networks inside (RFC 6761, 6762 and 8375; .internal by ICANN).
    """

    def __init__(self, allowed_hosts: str) -> None:
        configured = [name.strip().lower() for name in allowed_hosts.split(",") if name.strip()]
        own = socket.gethostname().lower()
        self._any = "*" in configured
        self._names = frozenset({own, *configured})
        self._suffixes = (*_INSIDE, *(name for name in configured if name.startswith(".")))

    def has(self, host: str) -> bool:
        """host: as the header has it, with a port or without."""
        name = _name_of(host)
        return (
            self._any
            or name in self._names
            or name.endswith(self._suffixes)
            or _WITHOUT_A_DOT.fullmatch(name) is not None
            or _is_address(name)
        )


def _name_of(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:  # no host at all
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_same(origin: str, host: str) -> bool:
    """Whether a page of that origin was loaded from that host; a proxy before us may have spoken TLS."""
    try:
        page, called = urlsplit(origin), urlsplit(f"{urlsplit(origin).scheme}://{host}")
        default = _DEFAULT_PORTS.get(page.scheme)
        return page.hostname is not None and (page.hostname, page.port or default) == (
            called.hostname,
            called.port or default,
        )
    except ValueError:
        return False
