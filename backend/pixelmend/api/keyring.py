"""The keys of a service: from its settings, and from a file that is read again when it has changed."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from pixelmend.core.config import Settings
from pixelmend.core.errors import InvalidParameter
from pixelmend.core.telemetry import Logger

USE, MANAGE = "use", "manage"
SCOPES = (USE, MANAGE)
"""To submit work and fetch its results; to load models, and all else that concerns everybody."""

_HASHED = re.compile(r"sha256:([0-9a-fA-F]{64})")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9@_.-]{0,63}")
_ENTRY = ("name", "key", "scopes", "expires")


@dataclass(frozen=True, slots=True)
class Key:
    """name: None for one of the settings. digest: sha256 of it; the key itself is not kept. expires_s: since
    1970, None for never.
    """

    name: str | None
    digest: bytes
    scopes: frozenset[str]
    expires_s: float | None = None

    @property
    def owner(self) -> str:
        """Whose its jobs are. A key that takes the place of another of the same name keeps them."""
        return f"key {self.digest.hex()}" if self.name is None else f"name {self.name}"

    def is_expired(self, now_s: float) -> bool:
        return self.expires_s is not None and now_s >= self.expires_s


@dataclass(frozen=True, slots=True)
class Keyring:
    keys: tuple[Key, ...] = ()

    def find(self, digest: bytes) -> Key | None:
        # All are compared, so that the time tells nothing of which one is near.
        found = [key for key in self.keys if hmac.compare_digest(digest, key.digest)]
        return found[0] if found else None


def keyring_of(settings: Settings) -> Keyring:
    """The keys that the settings hold. Raises InvalidParameter for a key that is not readable."""
    api = _split(settings.api_keys.get_secret_value())
    admin = _split(settings.admin_keys.get_secret_value())
    # With several keys, none of them may decide which models the others have in memory.
    is_sole = len(api) == 1 and not admin and not settings.keys_file
    of_api = frozenset(SCOPES if is_sole else (USE,))
    # An admin's key that is an API key as well is found as the admin's.
    keys = [Key(None, digest_of(key, "admin_keys"), frozenset(SCOPES)) for key in admin]
    keys += [Key(None, digest_of(key, "api_keys"), of_api) for key in api]
    return Keyring(tuple(keys))


class KeyFile:
    """A file of named keys. One that cannot be read any more leaves the keys as they were, and the log says
    so. Belongs to one event loop.
    """

    def __init__(self, path: Path, log: Logger) -> None:
        """Raises InvalidParameter for a file that cannot be used."""
        self._path = path
        self._log = log
        self._read_as = self._state()
        self._keyring = read_key_file(path)

    def keyring(self) -> Keyring:
        state = self._state()
        if state != self._read_as:
            self._read_as = state
            try:
                self._keyring = read_key_file(self._path)
                self._log.info("keys read again", keys=len(self._keyring.keys))
            except InvalidParameter as error:
                self._log.error("the keys stay as they were", reason=error.message)
        return self._keyring

    def _state(self) -> tuple[int, int, int]:
        try:
            status = self._path.stat()
        except OSError:
            return 0, 0, 0
        return status.st_mtime_ns, status.st_size, status.st_ino


def read_key_file(path: Path) -> Keyring:
    """Raises InvalidParameter naming the file, the entry and what is wrong with it; never the key."""
    import yaml  # here, since few have such a file

    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidParameter(f"keys_file={path}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise InvalidParameter(f"keys_file={path}: is not YAML") from error
    entries = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(entries, list):
        raise InvalidParameter(f"keys_file={path}: has no list called keys")
    keys = []
    for number, entry in enumerate(entries, 1):
        try:
            keys.append(_key_of(entry))
        except InvalidParameter as error:
            raise InvalidParameter(f"keys_file={path}: entry {number}: {error.message}") from error
    names = [key.name for key in keys]
    for name in names:
        if names.count(name) > 1:
            raise InvalidParameter(f"keys_file={path}: the name {name!r} is there twice")
    return Keyring(tuple(keys))


def _key_of(entry: Any) -> Key:
    if not isinstance(entry, Mapping):
        raise InvalidParameter("is no mapping of name and key")
    for field in entry:
        if field not in _ENTRY:
            raise InvalidParameter(f"{field!r} is not known; there are: {', '.join(_ENTRY)}")
    name, key = entry.get("name"), entry.get("key")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidParameter(f"name={str(name)[:64]!r} is no name of letters, digits and @_.-")
    if not isinstance(key, str) or not key.strip():
        raise InvalidParameter(f"{name} has no key")
    scopes = entry.get("scopes", [USE])
    if not isinstance(scopes, list) or not scopes or not set(map(str, scopes)) <= set(SCOPES):
        raise InvalidParameter(f"{name}: scopes={scopes!r} is no list of {', '.join(SCOPES)}")
    return Key(
        name, digest_of(key.strip(), name), frozenset(map(str, scopes)), _expiry(name, entry.get("expires"))
    )


def _expiry(name: str, told: Any) -> float | None:
    """A date counts to its end, in UTC."""
    if told is None:
        return None
    if isinstance(told, datetime):
        return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
    if isinstance(told, date):
        return (datetime(told.year, told.month, told.day, tzinfo=UTC) + timedelta(days=1)).timestamp()
    raise InvalidParameter(f"{name}: expires={str(told)[:40]!r} is no date like 2027-12-31")


def digest_of(key: str, where: str) -> bytes:
    """The sha256 of a key, or that which `sha256:<hex>` tells. Raises InvalidParameter."""
    hashed = _HASHED.fullmatch(key)
    if hashed:
        return bytes.fromhex(hashed[1])
    if key.startswith("sha256:"):
        raise InvalidParameter(f"{where} has an entry that begins with sha256: but has not 64 hex digits")
    return hashlib.sha256(key.encode()).digest()


def _split(keys: str) -> list[str]:
    return [key.strip() for key in keys.split(",") if key.strip()]
