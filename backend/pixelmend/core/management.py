"""Settings of memory that can be changed while the service runs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from math import isfinite
from typing import Any

from pixelmend.core.config import Settings
from pixelmend.core.errors import InvalidParameter


@dataclass(frozen=True, slots=True)
class Management:
    """Named, and meant, as the settings of these names."""

    auto_cleanup_enabled: bool
    cleanup_threshold_percent: float
    idle_timeout_minutes: float
    memory_monitoring_enabled: bool
    memory_monitoring_interval: float
    max_memory_usage_percent: float

    def in_settings(self, settings: Settings) -> Settings:
        """The settings with these values."""
        return settings.model_copy(update=asdict(self))

    def changed(self, changes: Mapping[str, object]) -> "Management":
        """With other values. Raises InvalidParameter for the first wrong one, naming it and its limit."""
        return replace(self, **{name: _checked(name, value) for name, value in changes.items()})


MANAGED = tuple(field.name for field in fields(Management))


@dataclass(frozen=True, slots=True)
class Range:
    """What a number may be. minimum_excluded: it has to be greater. None: no limit."""

    minimum: float | None
    maximum: float | None
    minimum_excluded: bool = False

    def __str__(self) -> str:
        lower = "greater than" if self.minimum_excluded else "at least"
        parts = [] if self.minimum is None else [f"{lower} {self.minimum:g}"]
        return " and ".join([*parts, *([] if self.maximum is None else [f"at most {self.maximum:g}"])])

    def has(self, value: float) -> bool:
        if self.maximum is not None and value > self.maximum:
            return False
        if self.minimum is None:
            return True
        return value > self.minimum if self.minimum_excluded else value >= self.minimum


def management_of(settings: Settings) -> Management:
    return Management(**{name: getattr(settings, name) for name in MANAGED})


def range_of(name: str) -> Range | None:
    """The range of a managed setting, as the setting itself declares it; None for a switch."""
    field = Settings.model_fields[name]
    if field.annotation is bool:
        return None
    limits: dict[str, float] = {}
    for rule in field.metadata:
        limits |= {key: getattr(rule, key) for key in ("gt", "ge", "lt", "le") if hasattr(rule, key)}
    return Range(limits.get("ge", limits.get("gt")), limits.get("le"), "gt" in limits)


def _checked(name: str, value: object) -> Any:
    if name not in MANAGED:
        raise InvalidParameter(f"{name[:64]!r} cannot be changed here; there are: {', '.join(MANAGED)}")
    allowed = range_of(name)
    if allowed is None:
        if isinstance(value, bool):
            return value
        raise InvalidParameter(f"{name}={_shown(value)} is neither true nor false")
    # An integer may be too long for a float.
    is_usable = not isinstance(value, int) or abs(value) <= 1 << 53
    if isinstance(value, bool) or not isinstance(value, int | float) or not is_usable or not isfinite(value):
        raise InvalidParameter(f"{name}={_shown(value)} is not a number; it has to be {allowed}")
    if not allowed.has(value):
        raise InvalidParameter(f"{name}={_shown(value)} is out of range: it has to be {allowed}")
    return float(value)


def _shown(value: object) -> str:
    return repr(value)[:64]
