"""What `pixelmend check` says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """ok None: worth knowing, neither good nor bad. `fix`: what to do about it."""

    ok: bool | None
    what: str
    fix: str | None = None
