"""Requests to addresses that callers name: to listed hosts only, and to public addresses only, which are
looked up once, checked, and are the very ones that are connected to.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from ssl import SSLContext

import httpx

from pixelmend.core import buckets
from pixelmend.core.errors import InvalidParameter
from pixelmend.core.version import VERSION

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host's name. Raises OSError if there are none."""
Content = bytes | Callable[[], AsyncIterator[bytes]]

MAX_URL_LENGTH = 2048
CONNECT_TIMEOUT_S, SILENCE_TIMEOUT_S = 10.0, 20.0
_NAT64 = IPv6Network("64:ff9b::/96")
_IPV6_UNICAST = IPv6Network("2000::/3")
"""All of the internet there is in IPv6; what lies outside is older or inside."""
_METADATA = (IPv4Network("168.63.129.16/32"), IPv4Network("192.0.0.0/24"))
"""Azure's and Oracle's, which some versions of `ipaddress` call global; others are link-local or private."""


def is_public(address: Address) -> bool:
    """It belongs to the internet: not to this machine, its network, a group, or a cloud's metadata."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        return address in _IPV6_UNICAST and address.is_global
    inside = address.is_multicast or any(address in network for network in _METADATA)
    return address.is_global and not inside


async def resolve(host: str, port: int) -> list[str]:
    """As the system does it."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Outbound:
    """Which addresses may be asked, and how.

    hosts: comma-separated names, `*.example.org` for all below that, or `s3://bucket`; empty: none.
    setting: what has them.
    allows: of the addresses that a name has, which all have to be. tls: None for the usual authorities.
    """

    def __init__(
        self,
        hosts: str,
        setting: str,
        *,
        resolve: Resolve = resolve,
        allows: Callable[[Address], bool] = is_public,
        tls: SSLContext | None = None,
    ) -> None:
        self._hosts = tuple(filter(None, (host.strip().lower().rstrip("/") for host in hosts.split(","))))
        self._setting = setting
        self._resolve = resolve
        self._allows = allows
        self._tls = tls

    def require(self, field: str, url: str) -> None:
        """Raises InvalidParameter for an address, of an object in a bucket as well, that may not be asked,
        ExtraMissing.
        """
        if not url.startswith(buckets.SCHEME):
            self.checked(field, url)
            return
        bucket, _ = buckets.bucket_and_key(field, url)
        if f"{buckets.SCHEME}{bucket}" not in self._hosts:
            raise InvalidParameter(f"{field}: the bucket {bucket[:255]!r} is not one of {self._setting}")
        buckets.require_extra(field)

    def checked(self, field: str, url: str) -> httpx.URL:
        """The address that was sent as `field`. Raises InvalidParameter for what may not be asked, whatever
        its name stands for; the message names the host and not the whole address, which may hold a secret.
        """
        if not self._hosts:
            raise InvalidParameter(f"{field} is not taken here: {self._setting} names no hosts")
        try:
            parsed = httpx.URL(url if len(url) <= MAX_URL_LENGTH else "")
        except (httpx.InvalidURL, UnicodeError) as error:
            raise InvalidParameter(f"{field} is no URL: {error}") from error
        host = _host(parsed)
        if parsed.scheme not in ("http", "https") or not host:
            raise InvalidParameter(
                f"{field} has to be an http or https URL of {MAX_URL_LENGTH} characters at most"
            )
        if parsed.userinfo:
            raise InvalidParameter(f"{field}: an address with a user name or password is not asked")
        if not any(_matches(host, allowed) for allowed in self._hosts):
            raise InvalidParameter(f"{field}: the host {host[:255]!r} is not one of {self._setting}")
        return parsed

    @asynccontextmanager
    async def request(
        self, field: str, method: str, url: str, headers: Mapping[str, str], content: Content = b""
    ) -> AsyncIterator[httpx.Response]:
        """One request, redirects not followed, with an answer whose body is still to be read: raw bytes.

        content: what is streamed needs a Content-Length among the headers, and may be asked for repeatedly.
        No cookies, no proxies of the environment. Raises InvalidParameter for what may not be asked, and
        httpx.TransportError.
        """
        target = self.checked(field, url)
        host = _host(target)
        addresses = await self._addresses(field, target)
        if self._tls is None:
            self._tls = httpx.create_ssl_context(trust_env=False)
        sent = {"User-Agent": f"pixelmend/{VERSION}", "Accept-Encoding": "identity", **headers}
        timeout = httpx.Timeout(SILENCE_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        async with httpx.AsyncClient(verify=self._tls, trust_env=False, timeout=timeout) as client:

            async def ask(address: Address) -> httpx.Response:
                request = client.build_request(
                    method,
                    target.copy_with(host=str(address)),
                    headers={"Host": target.netloc.decode("ascii"), **sent},
                    content=content if isinstance(content, bytes) else content(),
                    extensions={"sni_hostname": host},
                )
                return await client.send(request, stream=True)

            for address in addresses[:-1]:
                try:
                    response = await ask(address)
                    break
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    continue
            else:
                response = await ask(addresses[-1])
            try:
                yield response
            finally:
                await response.aclose()

    async def _addresses(self, field: str, target: httpx.URL) -> list[Address]:
        host = _host(target)
        port = target.port or (443 if target.scheme == "https" else 80)
        try:
            found = [ip_address(text) for text in await self._resolve(host, port)]
        except (OSError, UnicodeError) as error:
            raise InvalidParameter(f"{field}: the host {host!r} has no address") from error
        refused = [address for address in found if not self._allows(address)]
        if refused:
            raise InvalidParameter(f"{field}: the host {host!r} is {refused[0]}, which is no public address")
        if not found:
            raise InvalidParameter(f"{field}: the host {host!r} has no address")
        return found


def _host(url: httpx.URL) -> str:
    """As it is asked for in DNS."""
    return url.raw_host.decode("ascii").lower().strip("[]").removesuffix(".")


def _matches(host: str, allowed: str) -> bool:
    return host.endswith(allowed[1:]) if allowed.startswith("*.") else host == allowed
