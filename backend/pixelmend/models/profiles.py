"""The profiles there are: of the configuration, and made over HTTP, which are kept in the data directory."""

import itertools
import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from pixelmend.core.errors import InvalidParameter, ProfileReadOnly, UnknownProfile
from pixelmend.core.profile import Profile
from pixelmend.core.telemetry import Logger

MAX_STORED = 100
VERSION = 1
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int
    profiles: dict[str, Profile]


class ProfileStore:
    """Belongs to one thread. What was changed is on disk before it counts."""

    def __init__(self, path: Path, configured: Mapping[str, Profile], log: Logger) -> None:
        """A file that cannot be read is kept beside, and its profiles are missing; the log says so."""
        self._path = path
        self._configured = dict(configured)
        self._log = log
        self._file = TypeAdapter(_File)
        self._stored = self._load()
        for name in self._stored.keys() & self._configured.keys():
            log.warning("a profile of the configuration hides one made over HTTP", profile=name)

    @property
    def all(self) -> dict[str, Profile]:
        """By name; the configuration's first, and they count most."""
        return {**self._configured, **{n: p for n, p in self._stored.items() if n not in self._configured}}

    def is_read_only(self, name: str) -> bool:
        return name in self._configured

    def get(self, name: str) -> Profile:
        """Raises UnknownProfile naming those there are."""
        found = self.all.get(name)
        if found is None:
            known = ", ".join(self.all) or "none"
            raise UnknownProfile(f"profile={name[:64]!r} is not known; there are: {known}")
        return found

    def put(self, name: str, profile: Profile) -> None:
        """Add or replace. Raises InvalidParameter for a name that cannot be, ProfileReadOnly, OSError."""
        self.require_changeable(name)
        if not _NAME.fullmatch(name):
            raise InvalidParameter(
                f"profile={name[:64]!r} is no name for a profile: 1 to 64 letters, digits, dots, hyphens and "
                "underscores, beginning with a letter or a digit"
            )
        if name not in self._stored and len(self._stored) >= MAX_STORED:
            raise InvalidParameter(f"there are {MAX_STORED} profiles made over HTTP, and no more can be")
        self._save({**self._stored, name: profile})

    def remove(self, name: str) -> None:
        """Raises UnknownProfile, ProfileReadOnly, OSError."""
        self.get(name)
        self.require_changeable(name)
        self._save({other: profile for other, profile in self._stored.items() if other != name})

    def require_changeable(self, name: str) -> None:
        """Raises ProfileReadOnly."""
        if self.is_read_only(name):
            raise ProfileReadOnly(
                f"profile {name!r} stands in the configuration (config.yaml, PIXELMEND_PROFILES) and is "
                "changed there"
            )

    def _save(self, stored: dict[str, Profile]) -> None:
        part = self._path.with_name(self._path.name + ".part")
        part.write_bytes(self._file.dump_json(_File(version=VERSION, profiles=stored), indent=1))
        part.replace(self._path)
        self._stored = stored

    def _load(self) -> dict[str, Profile]:
        try:
            found = self._file.validate_json(self._path.read_bytes())
            if found.version != VERSION:
                raise ValueError(f"its version is {found.version}, not {VERSION}")
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            self._log.error(
                "profiles made over HTTP cannot be read", reason=reason, kept_as=self._set_aside()
            )
            return {}
        return found.profiles

    def _set_aside(self) -> str | None:
        """Or the next change would overwrite it."""
        free = (self._path.with_name(f"{self._path.name}.damaged-{n}") for n in itertools.count(1))
        aside = next(path for path in free if not path.exists())
        try:
            self._path.replace(aside)
        except OSError:
            return None
        return aside.name
