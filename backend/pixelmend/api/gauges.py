"""What is read when Prometheus asks, as far as it is not counted as it happens."""

from collections.abc import Callable, Iterator

from pixelmend.jobs.metrics import Sample
from pixelmend.jobs.readiness import Readiness
from pixelmend.jobs.scheduler import Scheduler
from pixelmend.jobs.spool import Spool
from pixelmend.models.memory import MemorySample
from pixelmend.worker.memory import WorkerMemory
from pixelmend.worker.pool import WorkerPool


def gauges(
    spool: Spool,
    workers: WorkerPool,
    scheduler: Scheduler,
    readiness: Readiness,
    dropped_lines: Callable[[], int],
) -> Iterator[Sample]:
    worker, queue = workers.status(), scheduler.status()
    yield (
        "pixelmend_ready",
        "1 if new work is welcome, as /readyz says.",
        {},
        float(not readiness.reasons()),
    )
    yield "pixelmend_worker_restarts_total", "Workers that were started again.", {}, worker.restarts
    yield "pixelmend_worker_step_age_seconds", "How long its current step takes.", {}, worker.step_age_s
    for index, (name, status) in enumerate(zip(workers.devices(), workers.statuses(), strict=True)):
        labels = {"device": str(index), "name": name}
        yield (
            "pixelmend_worker_ready",
            "1 if it takes work; named by its device.",
            labels,
            float(status.ready),
        )
    for state, count in (("queued", queue.queued), ("running", queue.running)):
        yield "pixelmend_queue_jobs", "Jobs accepted and not finished.", {"state": state}, count
    yield "pixelmend_queue_pixels", "Result pixels of those jobs.", {}, queue.pixels
    yield "pixelmend_log_lines_dropped_total", "Log lines without a reader.", {}, dropped_lines()
    yield "pixelmend_spool_free_bytes", "Room on the spool's disk.", {}, spool.free_bytes
    for model in worker.models:
        if model.loaded:
            labels = {"model": model.id, "precision": model.precision or ""}
            yield "pixelmend_model_loaded", "Models on the device.", labels, 1.0
    for model_id, count in workers.model_loads.items():
        yield "pixelmend_model_loads_total", "Models opened.", {"model": model_id}, count
    for index, memory in enumerate(workers.memories):
        yield from _alerts(str(index), memory)
        if memory.latest is not None:
            yield from _memory(str(index), memory.latest)


def _alerts(device: str, memory: WorkerMemory) -> Iterator[Sample]:
    for alert in memory.raised:
        yield "pixelmend_alert_raised", "Alerts that are up.", {"device": device, "kind": alert.kind}, 1.0


def _memory(device: str, sample: MemorySample) -> Iterator[Sample]:
    """What the device does not tell is left out."""
    figures: tuple[tuple[str, str, float | None], ...] = (
        ("device_memory_bytes", "All memory of the device.", sample.device_capacity_bytes),
        ("device_memory_used_bytes", "By everybody, and promised to models.", sample.device_used_bytes),
        ("device_memory_accounted_bytes", "By our models.", sample.accounted_bytes),
        ("device_memory_ceiling_bytes", "Up to which models are opened.", sample.ceiling_bytes),
        ("device_utilisation_percent", "How busy the device is.", sample.utilisation_percent),
        ("device_temperature_celsius", "The device's temperature.", sample.temperature_c),
        ("host_memory_bytes", "All memory of the machine or container.", sample.host_total_bytes),
        ("host_memory_used_bytes", "By everybody.", sample.host_used_bytes),
        ("worker_memory_bytes", "The worker's resident memory.", sample.worker_bytes),
    )
    for name, meaning, value in figures:
        if value is not None:
            yield f"pixelmend_{name}", meaning, {"device": device}, float(value)
    open_bytes: dict[tuple[str, str], int] = {}
    for model in sample.models:  # one that is being unloaded may be open again already
        key = (model.model, model.precision)
        open_bytes[key] = open_bytes.get(key, 0) + model.bytes
    for (model_id, precision), size in open_bytes.items():
        labels = {"device": device, "model": model_id, "precision": precision}
        yield "pixelmend_model_memory_bytes", "Accounted for an open model.", labels, size
    counts = sample.recoveries
    for action, count in (
        ("retried", counts.retried),
        ("smaller", counts.smaller),
        ("redone", counts.redone),
        ("evicted", counts.evicted),
        ("refused", counts.refused),
    ):
        yield (
            "pixelmend_recoveries_total",
            "What was done to get on.",
            {"device": device, "action": action},
            count,
        )
