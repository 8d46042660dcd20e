"""Samples memory every few seconds, cleans up, and raises alerts."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import psutil

from pixelmend.core.telemetry import Logger
from pixelmend.engine.devices.memory import DeviceMemory
from pixelmend.engine.model_cache.cache import ModelCache
from pixelmend.engine.model_cache.memory_profile import MemoryProfiles
from pixelmend.engine.monitoring.alerts import AlertRule, AlertTracker, values_of
from pixelmend.engine.monitoring.sensors import Sensors
from pixelmend.models.memory import Alert, MemorySample


class MonitorListener(Protocol):
    """Called on the monitor's thread."""

    def sampled(self, sample: MemorySample) -> None: ...

    def alerted(self, alert: Alert) -> None: ...

    def models_changed(self) -> None: ...


class MemoryMonitor:
    """`check` once, or `run` until told to stop.

    host: the memory of the machine or container. rules: of alerts; None if memory is cleaned up but not
    sampled.
    """

    def __init__(
        self,
        cache: ModelCache,
        profiles: MemoryProfiles,
        sensors: Sensors,
        host: DeviceMemory,
        rules: Sequence[AlertRule] | None,
        interval_s: float,
        listener: MonitorListener,
        log: Logger,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._cache = cache
        self._profiles = profiles
        self._sensors = sensors
        self._host = host
        self._alerts = AlertTracker(rules or ())
        self._is_sampling = rules is not None
        self._interval_s = interval_s
        self._wake = threading.Event()
        self._listener = listener
        self._log = log
        self._clock = clock
        self._process = psutil.Process()

    def configure(self, rules: Sequence[AlertRule] | None, interval_s: float) -> None:
        """rules, interval_s: as at the start. From any thread; counts at once."""
        self._alerts.rules = tuple(rules or ())
        self._is_sampling = rules is not None
        self._interval_s = interval_s
        self.wake()

    def wake(self) -> None:
        """Look now, and see whether to stop."""
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """stop: set it, then `wake`."""
        failing = False
        while True:
            self._wake.wait(self._interval_s)
            self._wake.clear()
            if stop.is_set():
                break
            try:
                self.check()
                failing = False
            except Exception:
                if not failing:  # logged once, not every two seconds
                    self._log.exception("the memory monitor failed")
                failing = True
        self._profiles.save()

    def check(self) -> None:
        evicted = self._cache.collect()
        if evicted:
            self._log.info("unused models were evicted", models=evicted)
        self._profiles.save()
        self._listener.models_changed()
        if self._is_sampling:
            sample = self.sample()
            self._listener.sampled(sample)
            self._tell(self._alerts.update(values_of(sample), sample.time_s))
        else:
            self._tell(self._alerts.clear(round(self._clock(), 3)))

    def _tell(self, alerts: Sequence[Alert]) -> None:
        for alert in alerts:
            log = self._log.warning if alert.state == "raised" else self._log.info
            log("memory alert", kind=alert.kind, state=alert.state, reason=alert.message)
            self._listener.alerted(alert)

    def sample(self) -> MemorySample:
        reading, used_bytes, models = self._cache.read()
        sensed = self._sensors.read()
        host = self._host.read()
        return MemorySample(
            time_s=round(self._clock(), 3),
            device_capacity_bytes=reading.capacity_bytes,
            device_used_bytes=used_bytes,
            accounted_bytes=sum(model.bytes for model in models),
            ceiling_bytes=self._cache.limits.ceiling_bytes(reading.capacity_bytes),
            utilisation_percent=sensed.utilisation_percent,
            temperature_c=sensed.temperature_c,
            sensors_lost=sensed.lost,
            host_total_bytes=host.capacity_bytes,
            host_used_bytes=host.used_bytes,
            worker_bytes=self._process.memory_info().rss,
            models=models,
            active_profiles=self._cache.active_profiles,
            recoveries=self._cache.recoveries.counts(),
        )
