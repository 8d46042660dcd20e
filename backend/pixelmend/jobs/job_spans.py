"""A job that has ended as a span: how long it waited, how long it ran, and with what."""

from pixelmend.core.traces import FinishedSpan
from pixelmend.jobs.model import JobRecord, JobState
from pixelmend.tasks.image import ImageReport


def job_span(record: JobRecord) -> FinishedSpan:
    """The span of a recorded end. What the worker reports of its stages are durations; they are put one after
    the other from the start, and encoding at the end, since it is what remained after the last tile.
    """
    end_s = record.ended_s or record.created_s
    parts = []
    if record.started_s is not None:
        start_s = min(max(record.started_s, record.created_s), end_s)
        stages = () if record.report is None else _stages(record.report, start_s, end_s)
        parts = [
            FinishedSpan("queue", record.created_s, start_s),
            FinishedSpan("run", start_s, end_s, children=stages),
        ]
    has_failed = record.state in (JobState.FAILED, JobState.CANCELLED)
    return FinishedSpan(
        f"job {record.task}",
        record.created_s,
        end_s,
        _attributes(record),
        (record.error_code or "failed") if has_failed else None,
        parts,
    )


def _attributes(record: JobRecord) -> dict[str, str | int | float]:
    told: dict[str, str | int | float | None] = {
        "pixelmend.job": record.id,
        "pixelmend.task": record.task,
        "pixelmend.state": record.state.value,
        "pixelmend.model": record.options.main_model,
        "pixelmend.pixels": record.pixels,
        "pixelmend.attempts": record.attempts,
        "pixelmend.request_id": record.request_id,
    }
    if record.report is not None:
        told |= {
            "pixelmend.device": record.report.device_type,
            "pixelmend.precision": record.report.precision,
            "pixelmend.tiles": record.report.tiles,
        }
    return {name: value for name, value in told.items() if value is not None}


def _stages(report: ImageReport, start_s: float, end_s: float) -> tuple[FinishedSpan, ...]:
    spans, at_s = [], start_s
    for name, seconds in (
        ("decode", report.decode_s),
        ("inpaint", report.inpaint_s),
        ("network", report.device_s),
    ):
        if seconds:
            until_s = min(at_s + seconds, end_s)
            spans.append(FinishedSpan(name, at_s, until_s))
            at_s = until_s
    if report.encode_s:
        spans.append(FinishedSpan("encode", max(start_s, end_s - report.encode_s), end_s))
    return tuple(spans)
