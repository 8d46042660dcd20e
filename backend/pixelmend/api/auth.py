"""Who calls: by API key if there are keys, by address otherwise."""

import base64
import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from pixelmend.api.guard import WINDOW_S, WRONG_KEYS, KeyGuard, network_of
from pixelmend.api.keyring import MANAGE, USE, Key, KeyFile, Keyring, keyring_of
from pixelmend.api.quota import Quota
from pixelmend.core.config import Settings
from pixelmend.core.errors import InvalidParameter, KeyMissing, KeyRefused, QuotaExceeded
from pixelmend.core.telemetry import Logger

CALLER = "pixelmend.caller"
"""Where a request's scope tells who was identified."""


@dataclass(frozen=True, slots=True)
class Caller:
    """owner: whose the jobs are; tells nothing about the key itself. key: by which its quota is counted.
    name: of the key, for the log. is_admin: may load and unload models.
    """

    owner: str
    address: str
    key: str | None
    is_admin: bool
    name: str | None = None


class Callers:
    """Knows the keys by their hashes only. clock_s: seconds since 1970."""

    def __init__(
        self, settings: Settings, log: Logger | None = None, clock_s: Callable[[], float] = time.time
    ) -> None:
        """Raises InvalidParameter for a quota or a key that is not readable, or if keys are lacking."""
        self._clock_s = clock_s
        self._of_settings = keyring_of(settings)
        self._file = KeyFile(settings.keys_file, log or Logger()) if settings.keys_file else None
        self._needs_key = bool(settings.api_keys.get_secret_value().strip(" ,")) or self._file is not None
        if settings.key_for_everything and not self._needs_key:
            raise InvalidParameter("key_for_everything needs api_keys or keys_file, and there are none")
        self._guard = KeyGuard()
        self._per_key = Quota("quota_per_key", settings.quota_per_key)
        self._per_address = Quota("quota_per_address", settings.quota_per_address)

    def identify(self, request: Request, scope: str = USE) -> Caller:
        """scope: what the caller wants. Raises KeyMissing, KeyRefused, and QuotaExceeded for an address that
        guesses.
        """
        address = request.client.host if request.client else "unknown"
        offered, key = _offered_key(request), None
        if offered is not None and self._keys:
            key = self._find(address, offered)
        if key is None and not self._needs_key:
            # Keys for managing alone do not keep others from using the service.
            return self._noted(request, Caller(f"address {address}", address, None, not self._keys))
        if offered is None:
            raise KeyMissing("send Authorization: Bearer <key>, or X-API-Key: <key>")
        if key is None:
            raise KeyRefused("the API key is not one of this service's")
        if key.is_expired(self._clock_s()):
            raise KeyRefused(f"the key {key.name} has expired")
        if scope not in key.scopes:
            raise KeyRefused(
                f"the key {key.name or 'that was sent'} has the scopes {', '.join(sorted(key.scopes))}; "
                f"this needs {scope}"
            )
        owner = key.owner if self._needs_key else f"address {address}"
        counted = key.owner.partition(" ")[2] if self._needs_key else None
        return self._noted(request, Caller(owner, address, counted, MANAGE in key.scopes, key.name))

    def require_admin(self, request: Request) -> Caller:
        """Raises KeyMissing, KeyRefused."""
        caller = self.identify(request, MANAGE)
        if caller.is_admin:
            return caller
        if _offered_key(request) is None:
            raise KeyMissing("this needs one of PIXELMEND_ADMIN_KEYS")
        raise KeyRefused("this needs one of PIXELMEND_ADMIN_KEYS; the key that was sent is none of them")

    def owns(self, caller: Caller, owner: str) -> bool:
        """If there are no keys, a job belongs to every caller who knows its id, which cannot be guessed."""
        return caller.owner == owner if self._needs_key else owner.startswith("address ")

    @property
    def _keys(self) -> tuple[Key, ...]:
        return self._of_settings.keys + (self._file.keyring().keys if self._file else ())

    def _find(self, address: str, offered: str) -> Key | None:
        digest = hashlib.sha256(offered.encode("utf-8", "surrogateescape")).digest()
        wait_s = self._guard.wait_s(address, digest)
        if wait_s > 0:
            raise QuotaExceeded(
                f"{WRONG_KEYS} wrong keys came from this address within {WINDOW_S:g} s",
                max(1, math.ceil(wait_s)),
            )
        key = Keyring(self._keys).find(digest)
        if key is None:
            self._guard.note_wrong(address)
        else:
            self._guard.note_right(address, digest)
        return key

    def _noted(self, request: Request, caller: Caller) -> Caller:
        """For the line that the log gets when the request ends."""
        request.scope[CALLER] = caller
        return caller

    def require_quota(self, caller: Caller, images: int = 1) -> None:
        """Before an upload is read. Raises QuotaExceeded."""
        self._per_address.require(network_of(caller.address), images)
        if caller.key is not None:
            self._per_key.require(caller.key, images)

    def charge(self, caller: Caller, images: int = 1) -> None:
        """Count so many images, or raise QuotaExceeded and count nothing."""
        self.require_quota(caller, images)
        self._per_address.charge(network_of(caller.address), images)
        if caller.key is not None:
            self._per_key.charge(caller.key, images)


def _offered_key(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return request.headers.get("x-api-key") or (_password(token) if scheme.lower() == "basic" else None)


def _password(credentials: str) -> str | None:
    """The key from clients that know only names and passwords, as A1111's; the name does not matter."""
    try:
        decoded = base64.b64decode(credentials, validate=True).decode()
    except ValueError:
        return None
    return decoded.partition(":")[2] or None
