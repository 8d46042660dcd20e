"""Applies settings of memory that were changed while a worker runs."""

from pixelmend.core.config import Settings
from pixelmend.engine.model_cache.cache import ModelCache
from pixelmend.engine.model_cache.eviction import limits_from
from pixelmend.engine.monitoring.alerts import AlertRule, rules_for
from pixelmend.engine.monitoring.monitor import MemoryMonitor


def apply_settings(settings: Settings, cache: ModelCache, monitor: MemoryMonitor) -> None:
    """The monitor looks at once, and evicts what has no room or was idle too long by the new limits."""
    cache.limits = limits_from(settings)
    monitor.configure(monitored_rules(settings), settings.memory_monitoring_interval)


def monitored_rules(settings: Settings) -> tuple[AlertRule, ...] | None:
    """None: memory is not sampled."""
    return rules_for(settings) if settings.memory_monitoring_enabled else None
