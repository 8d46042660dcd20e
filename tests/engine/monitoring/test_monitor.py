"""The look that is taken every few seconds."""

import io
import threading

from pixelmend.core.config import Settings
from pixelmend.core.telemetry import Logger, configure_logging
from pixelmend.engine.devices.device import cpu_device
from pixelmend.engine.devices.memory import HostMemory
from pixelmend.engine.model_cache.cache import ModelCache
from pixelmend.engine.monitoring.alerts import rules_for
from pixelmend.engine.monitoring.monitor import MemoryMonitor
from pixelmend.engine.monitoring.sensors import SensorReading, sensors_of
from pixelmend.models.memory import Alert, MemorySample
from tests.engine.counting import Clock, CountingDevice, CountingProvider, cache_of, use


class Listener:
    def __init__(self) -> None:
        self.samples: list[MemorySample] = []
        self.alerts: list[Alert] = []
        self.changes = 0
        self.twice = threading.Event()

    def sampled(self, sample: MemorySample) -> None:
        self.samples.append(sample)
        if len(self.samples) == 2:
            self.twice.set()

    def alerted(self, alert: Alert) -> None:
        self.alerts.append(alert)

    def models_changed(self) -> None:
        self.changes += 1


class Sensors:
    def __init__(self) -> None:
        self.reading = SensorReading(12.0, 40.0)

    def read(self) -> SensorReading:
        return self.reading


class Bench:
    def __init__(self, *, sampling: bool = True) -> None:
        self.clock = Clock()
        self.device = CountingDevice(1000)
        self.provider = CountingProvider(self.device, {"a": 300})
        self.cache: ModelCache = cache_of(self.provider, self.clock)
        self.sensors = Sensors()
        self.listener = Listener()
        rules = rules_for(Settings(_env_file=None)) if sampling else None
        self.monitor = MemoryMonitor(
            self.cache,
            self.provider.memory_profiles,
            self.sensors,
            HostMemory(),
            rules,
            0.001,
            self.listener,
            Logger(),
            clock=lambda: 77.0,
        )


def test_a_sample_tells_what_there_is() -> None:
    bench = Bench()
    lease = bench.cache.lease("a")
    sample = bench.monitor.sample()
    assert (sample.time_s, sample.device_capacity_bytes, sample.ceiling_bytes) == (77.0, 1000, 900)
    assert sample.accounted_bytes == sample.device_used_bytes == lease.bytes == 341
    (model,) = sample.models
    assert (model.model, model.leases, model.weights_bytes, model.pinned) == ("a", 1, 300, False)
    assert (sample.utilisation_percent, sample.temperature_c) == (12.0, 40.0)
    assert sample.host_total_bytes > sample.worker_bytes > 0


def test_alerts_follow_the_samples() -> None:
    bench = Bench()
    for others in (0, 870, 860, 0):
        bench.device.others_bytes = others
        bench.monitor.check()
    assert [(a.kind, a.state) for a in bench.listener.alerts if a.kind != "host-memory"] == [
        ("device-memory", "raised"),
        ("device-memory", "cleared"),
    ]
    bench.sensors.reading = SensorReading(None, None, lost=True)
    bench.monitor.check()
    assert bench.listener.alerts[-1].kind == "sensors-lost"


def test_without_sampling_it_still_tidies_up() -> None:
    bench = Bench(sampling=False)
    use(bench.cache, "a")
    bench.clock.now_s += 1800
    bench.monitor.check()
    assert bench.cache.read()[2] == ()
    assert bench.listener.samples == []
    assert bench.listener.changes == 1


def test_alerts_end_when_monitoring_is_switched_off() -> None:
    bench = Bench()
    bench.device.others_bytes = 870
    bench.monitor.check()
    bench.monitor.configure(None, 1.0)
    bench.monitor.check()
    bench.monitor.check()
    states = [(a.kind, a.state) for a in bench.listener.alerts if a.kind == "device-memory"]
    assert states == [("device-memory", "raised"), ("device-memory", "cleared")]
    assert bench.listener.alerts[-1].message == "memory monitoring was switched off"
    assert len(bench.listener.samples) == 1


def test_a_new_threshold_raises_and_clears_what_the_old_one_did() -> None:
    bench = Bench()
    bench.device.others_bytes = 700
    for percent in (85, 60, 65, 85):
        settings = Settings(_env_file=None, cleanup_threshold_percent=percent)
        bench.monitor.configure(rules_for(settings), 1.0)
        bench.monitor.check()
    found = [(a.state, a.threshold) for a in bench.listener.alerts if a.kind == "device-memory"]
    assert found == [("raised", 60), ("cleared", 85)]


def test_a_new_interval_counts_at_once() -> None:
    bench = Bench()
    bench.monitor.configure(rules_for(Settings(_env_file=None)), 3600.0)
    stop = threading.Event()
    thread = threading.Thread(target=bench.monitor.run, args=(stop,))
    thread.start()
    bench.monitor.configure(rules_for(Settings(_env_file=None)), 0.001)
    assert bench.listener.twice.wait(60)
    bench.monitor.configure(None, 3600.0)
    stop.set()
    bench.monitor.wake()
    thread.join(60)
    assert not thread.is_alive()


def test_a_failing_look_is_logged_once_and_not_the_end() -> None:
    log = io.StringIO()
    configure_logging("info", "json", log)
    bench = Bench()
    reads = iter([True, True, False, False])

    def read() -> SensorReading:
        if next(reads, False):
            raise ZeroDivisionError
        return SensorReading(None, None)

    bench.sensors.read = read  # type: ignore[method-assign]
    stop = threading.Event()
    thread = threading.Thread(target=bench.monitor.run, args=(stop,))
    thread.start()
    assert bench.listener.twice.wait(60)
    stop.set()
    thread.join(60)
    assert log.getvalue().count("the memory monitor failed") == 1


def test_the_cpus_sensors_tell_what_they_can() -> None:
    reading = sensors_of(cpu_device()).read()
    assert reading.utilisation_percent is not None
    assert 0 <= reading.utilisation_percent <= 100
    assert not reading.lost
