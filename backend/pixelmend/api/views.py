"""How jobs look to clients."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pixelmend.api.errors import problem_body
from pixelmend.api.schemas import (
    DeliveryView,
    ItemProvenance,
    ItemView,
    JobProgress,
    JobResult,
    JobView,
    Manifest,
    ManifestItem,
    Problem,
)
from pixelmend.core.error_codes import error_from_code
from pixelmend.core.version import VERSION
from pixelmend.imaging.formats import FormatRegistry
from pixelmend.jobs.delivery_rows import Delivery, DeliveryKind
from pixelmend.jobs.model import BatchItem, JobRecord, JobState
from pixelmend.jobs.snapshot import JobSnapshot
from pixelmend.tasks.registry import TaskRegistry

ARCHIVE_MEDIA_TYPE = "application/zip"


def media_type_of(record: JobRecord, tasks: TaskRegistry, formats: FormatRegistry) -> str:
    """The media type of the job's result."""
    if record.items:
        return ARCHIVE_MEDIA_TYPE
    return tasks.output(record.task, record.options.format, formats).media_type


def job_view(
    snapshot: JobSnapshot, tasks: TaskRegistry, formats: FormatRegistry, *, with_items: bool = True
) -> JobView:
    record = snapshot.record
    result = None
    if snapshot.state is JobState.DONE and record.result is not None:
        result = JobResult(
            url=f"/api/jobs/{record.id}/result",
            media_type=media_type_of(record, tasks, formats),
            size_bytes=record.result.size_bytes,
            sha256=record.result.sha256,
            width=record.report.width_px if record.report else None,
            height=record.report.height_px if record.report else None,
        )
    items = snapshot.items or record.items
    return JobView(
        id=record.id,
        task=record.task,
        state=snapshot.state,
        progress=JobProgress(
            done_tiles=snapshot.done_tiles,
            total_tiles=snapshot.total_tiles,
            fraction=round(snapshot.fraction, 4),
            done_items=sum(item.state is JobState.DONE for item in items) if items else None,
            failed_items=sum(_failed(item) for item in items) if items else None,
            total_items=len(items) if items else None,
        ),
        queue_position=snapshot.queue_position,
        place=snapshot.queue_position,
        eta_s=None if snapshot.eta_s is None else round(snapshot.eta_s, 1),
        model=record.options.main_model,
        file_name=record.file_name,
        created_at=_time(record.created_s),
        ended_at=None if record.ended_s is None else _time(record.ended_s),
        expires_at=None if record.expires_s is None else _time(record.expires_s),
        result=result,
        problem=_problem(record.error_code, record.error_message, record.request_id),
        items=[item_view(n, item) for n, item in enumerate(items)] if items and with_items else None,
    )


def with_deliveries(view: JobView, deliveries: Mapping[DeliveryKind, Delivery]) -> JobView:
    """Never with the addresses, which may hold secrets."""
    names = {DeliveryKind.WEBHOOK: "webhook", DeliveryKind.RESULT: "delivery"}
    shown = {
        names[kind]: DeliveryView(state=each.state, attempts=each.attempts, last_error=each.last_error)
        for kind, each in deliveries.items()
    }
    return view.model_copy(update=shown)


def item_view(index: int, item: BatchItem) -> ItemView:
    report, result = item.report, item.result
    return ItemView(
        index=index,
        file_name=item.file_name,
        state=item.state,
        output=None if result is None else item.output_name,
        width=report.width_px if report else None,
        height=report.height_px if report else None,
        size_bytes=result.size_bytes if result else None,
        sha256=result.sha256 if result else None,
        problem=_problem(item.error_code, item.error_message, None),
    )


def manifest(record: JobRecord, items: Sequence[BatchItem]) -> str:
    """The text of an archive's manifest.json."""
    model = Manifest(
        version=VERSION,
        job=record.id,
        created_at=_time(record.created_s),
        model=record.options.main_model,
        items=[
            ManifestItem(**item_view(n, item).model_dump(), provenance=_provenance(item))
            for n, item in enumerate(items)
        ],
    )
    return model.model_dump_json(indent=1) + "\n"


def _provenance(item: BatchItem) -> ItemProvenance | None:
    report = item.report
    if report is None:
        return None
    return ItemProvenance(
        model=report.model,
        model_sha256=report.model_sha256,
        device=f"{report.device_type}; {report.device_name}",
        precision=report.precision,
        tiles=report.tiles,
        tile_size=report.tile_size,
        seconds=report.total_s,
        not_kept=list(report.not_kept),
        notes=list(report.notes),
    )


def _failed(item: BatchItem) -> bool:
    return item.state in (JobState.FAILED, JobState.CANCELLED)


def _problem(code: str | None, message: str | None, request_id: str | None) -> Problem | None:
    return None if code is None else problem_body(error_from_code(code, message or ""), request_id)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
