"""Who calls: by API key if there are keys, by address otherwise."""

import base64
import hashlib
import hmac
import math
import re
from dataclasses import dataclass

from pydantic import SecretStr
from starlette.requests import Request

from pixelmend.api.guard import WINDOW_S, WRONG_KEYS, KeyGuard, network_of
from pixelmend.api.quota import Quota
from pixelmend.core.config import Settings
from pixelmend.core.errors import InvalidParameter, KeyMissing, KeyRefused, QuotaExceeded

_HASHED = re.compile(r"sha256:([0-9a-fA-F]{64})")


@dataclass(frozen=True, slots=True)
class Caller:
    """owner: whose the jobs are; tells nothing about the key itself. is_admin: may load and unload models."""

    owner: str
    address: str
    key: str | None
    is_admin: bool


class Callers:
    """Knows the keys by their hashes only."""

    def __init__(self, settings: Settings) -> None:
        """Raises InvalidParameter for a quota or a key that is not readable, or if keys are lacking."""
        self._hashes = _hashes_of("api_keys", settings.api_keys)
        self._admin_hashes = _hashes_of("admin_keys", settings.admin_keys)
        if settings.key_for_everything and not self._hashes:
            raise InvalidParameter("key_for_everything needs api_keys, and there are none")
        self._guard = KeyGuard()
        self._per_key = Quota("quota_per_key", settings.quota_per_key)
        self._per_address = Quota("quota_per_address", settings.quota_per_address)

    def identify(self, request: Request) -> Caller:
        """Raises KeyMissing, KeyRefused, and QuotaExceeded for an address that guesses."""
        address = request.client.host if request.client else "unknown"
        offered = _offered_key(request)
        digest = (
            b"" if offered is None else hashlib.sha256(offered.encode("utf-8", "surrogateescape")).digest()
        )
        if offered is not None and (self._hashes or self._admin_hashes):
            wait_s = self._guard.wait_s(address, digest)
            if wait_s > 0:
                raise QuotaExceeded(
                    f"{WRONG_KEYS} wrong keys came from this address within {WINDOW_S:g} s",
                    max(1, math.ceil(wait_s)),
                )
        is_admin = _is_among(digest, self._admin_hashes)
        if is_admin or _is_among(digest, self._hashes):
            self._guard.note_right(address, digest)
        elif offered is not None and (self._hashes or self._admin_hashes):
            self._guard.note_wrong(address)
        if not self._hashes:
            return Caller(f"address {address}", address, None, is_admin or not self._admin_hashes)
        if offered is None:
            raise KeyMissing("send Authorization: Bearer <key>, or X-API-Key: <key>")
        if not _is_among(digest, self._hashes) and not is_admin:
            raise KeyRefused("the API key is not one of this service's")
        # With several keys, none of them may decide which models the others have in memory.
        is_sole = len(self._hashes) == 1 and not self._admin_hashes
        return Caller(f"key {digest.hex()}", address, digest.hex(), is_admin or is_sole)

    def require_admin(self, request: Request) -> Caller:
        """Raises KeyMissing, KeyRefused."""
        caller = self.identify(request)
        if caller.is_admin:
            return caller
        if _offered_key(request) is None:
            raise KeyMissing("this needs one of PIXELMEND_ADMIN_KEYS")
        raise KeyRefused("this needs one of PIXELMEND_ADMIN_KEYS; the key that was sent is none of them")

    def owns(self, caller: Caller, owner: str) -> bool:
        """If there are no keys, a job belongs to every caller who knows its id, which cannot be guessed."""
        return caller.owner == owner if self._hashes else owner.startswith("address ")

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


def _is_among(digest: bytes, known: list[bytes]) -> bool:
    # All are compared, so that the time tells nothing of which one is near.
    matches = [hmac.compare_digest(digest, one) for one in known]
    return any(matches)


def _hashes_of(setting: str, keys: SecretStr) -> list[bytes]:
    given = [key.strip() for key in keys.get_secret_value().split(",")]
    return [_hash_of_setting(setting, key) for key in given if key]


def _hash_of_setting(setting: str, key: str) -> bytes:
    hashed = _HASHED.fullmatch(key)
    if hashed:
        return bytes.fromhex(hashed[1])
    if key.startswith("sha256:"):
        raise InvalidParameter(f"{setting} has an entry that begins with sha256: but has not 64 hex digits")
    return hashlib.sha256(key.encode()).digest()


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
