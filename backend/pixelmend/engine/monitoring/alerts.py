"""Alerts about memory and heat: one when a value reaches its threshold, one when it is below it again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pixelmend.core.config import Settings
from pixelmend.models.memory import Alert, AlertKind, MemorySample

HYSTERESIS = 5.0
"""Percent, or degrees: a value that moves up and down around its threshold gives one alert."""


@dataclass(frozen=True, slots=True)
class AlertRule:
    """Raised at `threshold` and above, cleared at `threshold - hysteresis` and below."""

    kind: AlertKind
    threshold: float
    unit: str
    hysteresis: float = HYSTERESIS


def rules_for(settings: Settings) -> tuple[AlertRule, ...]:
    return (
        AlertRule("device-memory", settings.cleanup_threshold_percent, "% of the device's memory is in use"),
        AlertRule(
            "device-memory-limit", settings.max_memory_usage_percent, "% of the device's memory is in use"
        ),
        AlertRule(
            "host-memory",
            settings.max_memory_usage_percent,
            "% of the host's memory is in use",
        ),
        AlertRule("temperature", settings.temperature_alert_c, "°C on the device"),
        AlertRule("sensors-lost", 1.0, "if the device's sensors (NVML) do not answer", hysteresis=1.0),
    )


def values_of(sample: MemorySample) -> dict[AlertKind, float | None]:
    device = 100 * sample.device_used_bytes / max(1, sample.device_capacity_bytes)
    return {
        "device-memory": device,
        "device-memory-limit": device,
        "host-memory": 100 * sample.host_used_bytes / max(1, sample.host_total_bytes),
        "temperature": sample.temperature_c,
        "sensors-lost": float(sample.sensors_lost),
    }


class AlertTracker:
    """Knows which alerts are raised. rules: may be changed; the new ones clear what is raised."""

    def __init__(self, rules: Sequence[AlertRule]) -> None:
        self.rules = tuple(rules)
        self._raised: dict[AlertKind, Alert] = {}

    def update(self, values: Mapping[AlertKind, float | None], time_s: float) -> list[Alert]:
        """The alerts that these values raise or clear. A value that is not known changes nothing."""
        changes = []
        for rule in self.rules:
            value = values.get(rule.kind)
            if value is None:
                continue
            is_raised = rule.kind in self._raised
            if not is_raised and value >= rule.threshold:
                self._raised[rule.kind] = _alert(rule, value, time_s, raised=True)
                changes.append(self._raised[rule.kind])
            elif is_raised and value <= rule.threshold - rule.hysteresis:
                del self._raised[rule.kind]
                changes.append(_alert(rule, value, time_s, raised=False))
        return changes

    def clear(self, time_s: float) -> list[Alert]:
        """No sample will clear them: what was raised ends, with its last value."""
        raised, self._raised = self._raised, {}
        text = "memory monitoring was switched off"
        return [replace(alert, state="cleared", time_s=time_s, message=text) for alert in raised.values()]


def _alert(rule: AlertRule, value: float, time_s: float, *, raised: bool) -> Alert:
    text = f"{value:.0f} {rule.unit}; the alert is raised at {rule.threshold:g}"
    return Alert(rule.kind, "raised" if raised else "cleared", value, rule.threshold, time_s, text)
