"""What is counted, for Prometheus: one registry for each service, and nothing global."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from pixelmend.jobs.model import JobRecord, JobState
from pixelmend.tasks.image import ImageReport

REQUEST_BUCKETS_S = (0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
JOB_BUCKETS_S = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900)

Sample = tuple[str, str, dict[str, str], float]
"""Name, what it is, labels, value."""


class Metrics:
    """Belongs to one event loop. Labels have few values: no ids, no file names, no paths as sent."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "pixelmend_requests", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self._request_seconds = Histogram(
            "pixelmend_request_seconds",
            "From the first byte of a request to the last of its answer.",
            ("route",),
            buckets=REQUEST_BUCKETS_S,
            registry=self._registry,
        )
        self._errors = Counter(
            "pixelmend_errors",
            "Requests that were refused and jobs that failed, by the problem's type.",
            ("where", "type"),
            registry=self._registry,
        )
        self._jobs = Counter("pixelmend_jobs", "Jobs ended.", ("task", "state"), registry=self._registry)
        self._job_seconds = Histogram(
            "pixelmend_job_seconds",
            "From a job's start in the worker to its end.",
            ("model",),
            buckets=JOB_BUCKETS_S,
            registry=self._registry,
        )
        self._tiles = Counter(
            "pixelmend_tiles", "Tiles computed.", ("model", "precision"), registry=self._registry
        )
        self._pixels = Counter(
            "pixelmend_result_pixels", "Pixels of finished results.", ("model",), registry=self._registry
        )
        self._stages = Counter(
            "pixelmend_stage_seconds",
            "Time spent on finished jobs; encode is what remained of it after the last tile.",
            ("stage",),
            registry=self._registry,
        )
        self._fallbacks = Counter(
            "pixelmend_fallbacks",
            "Results that came about otherwise than planned: a tile computed again, a precision given up.",
            registry=self._registry,
        )

    def watch(self, read: Callable[[], Iterable[Sample]]) -> None:
        """Gauges that are read when they are asked for; one name's samples follow one another."""
        self._registry.register(_Gauges(read))

    def request_ended(self, method: str, route: str, status: int, seconds: float) -> None:
        """route: as the application declares it, with its parameters' names."""
        self._requests.labels(method, route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def request_refused(self, code: str) -> None:
        self._errors.labels("request", code).inc()

    def job_ended(self, record: JobRecord) -> None:
        self._jobs.labels(record.task, record.state.value).inc()
        if record.state is JobState.FAILED and record.error_code is not None:
            self._errors.labels("job", record.error_code).inc()
        if record.report is not None:
            self._count(record.report)

    def _count(self, report: ImageReport) -> None:
        self._job_seconds.labels(report.model).observe(report.total_s)
        self._tiles.labels(report.model, report.precision).inc(report.tiles)
        self._pixels.labels(report.model).inc(report.width_px * report.height_px)
        for stage, seconds in (
            ("decode", report.decode_s),
            ("inpaint", report.inpaint_s),
            ("device", report.device_s),
            ("encode", report.encode_s),
        ):
            self._stages.labels(stage).inc(seconds)
        if report.fallbacks:
            self._fallbacks.inc()

    def text(self) -> bytes:
        """All of it in Prometheus's text format."""
        return generate_latest(self._registry)


class _Gauges(Collector):
    def __init__(self, read: Callable[[], Iterable[Sample]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        found: dict[str, Metric] = {}
        for name, meaning, labels, value in self._read():
            kind = "counter" if name.endswith("_total") else "gauge"
            metric = found.setdefault(name, Metric(name.removesuffix("_total"), meaning, kind))
            metric.add_sample(name, labels, value)
        return found.values()
