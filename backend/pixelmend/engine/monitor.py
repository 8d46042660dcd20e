"""Looks at memory every few seconds: tidies up, tells how it is, raises alerts."""

import threading
import time
from collections.abc import Callable
from typing import Protocol

import psutil

from pixelmend.core.telemetry import Logger
from pixelmend.engine.alerts import AlertBook, values_of
from pixelmend.engine.model_cache.cache import ModelManager
from pixelmend.engine.model_cache.memory_profile import LearnedFigures
from pixelmend.engine.sensors import Sensors
from pixelmend.models.memory import Alert, MemorySample


class MonitorListener(Protocol):
    """Called on the monitor's thread."""

    def sampled(self, sample: MemorySample) -> None: ...

    def alerted(self, alert: Alert) -> None: ...

    def models_changed(self) -> None: ...


class MemoryMonitor:
    """`look` once, or `run` until told to stop. alerts: None where nothing is sampled, only tidied up."""

    def __init__(
        self,
        manager: ModelManager,
        learned: LearnedFigures,
        sensors: Sensors,
        alerts: AlertBook | None,
        listener: MonitorListener,
        log: Logger,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._manager = manager
        self._learned = learned
        self._sensors = sensors
        self._alerts = alerts
        self._listener = listener
        self._log = log
        self._clock = clock
        self._process = psutil.Process()

    def run(self, stop: threading.Event, interval_s: float) -> None:
        failing = False
        while not stop.wait(interval_s):
            try:
                self.look()
                failing = False
            except Exception:
                if not failing:  # once, not every two seconds
                    self._log.exception("the memory monitor failed")
                failing = True
        self._learned.save()

    def look(self) -> None:
        gone = self._manager.housekeep()
        if gone:
            self._log.info("unused models were let go", models=gone)
        self._learned.save()
        self._listener.models_changed()
        if self._alerts is None:
            return
        sample = self.sample()
        self._listener.sampled(sample)
        for alert in self._alerts.look(values_of(sample), sample.time_s):
            tell = self._log.warning if alert.state == "raised" else self._log.info
            tell("memory alert", kind=alert.kind, state=alert.state, reason=alert.message)
            self._listener.alerted(alert)

    def sample(self) -> MemorySample:
        reading, used_bytes, models = self._manager.read()
        sensed = self._sensors.read()
        host = psutil.virtual_memory()
        return MemorySample(
            time_s=round(self._clock(), 3),
            device_capacity_bytes=reading.capacity_bytes,
            device_used_bytes=used_bytes,
            accounted_bytes=sum(model.bytes for model in models),
            ceiling_bytes=self._manager.limits.ceiling_bytes(reading.capacity_bytes),
            utilisation_percent=sensed.utilisation_percent,
            temperature_c=sensed.temperature_c,
            sensors_lost=sensed.lost,
            host_total_bytes=host.total,
            host_used_bytes=host.total - host.available,
            worker_bytes=self._process.memory_info().rss,
            models=models,
            active_profiles=self._manager.active_profiles,
            recoveries=self._manager.recoveries.counts(),
        )
