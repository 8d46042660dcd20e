"""A finished file as a response."""

import unicodedata
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from starlette.types import Receive, Scope, Send

from pixelmend.api.files import ServedFile
from pixelmend.imaging.formats import Format
from pixelmend.imaging.names import safe_stem
from pixelmend.jobs.model import JobRecord
from pixelmend.tasks.image import ImageReport
from pixelmend.tasks.options import ImageOptions
from pixelmend.tasks.task import Task


class _Held(ServedFile):
    """A file of the spool; `release` is called once it is sent, or once the client is gone.

    etag: of the content, if it is known already.
    """

    def __init__(
        self,
        path: Path,
        headers: dict[str, str],
        media_type: str,
        release: Callable[[], None],
        etag: str | None,
    ) -> None:
        # A cache has to ask first: the file may be private, and it expires.
        headers["Cache-Control"] = "no-store" if etag is None else "private, no-cache"
        if etag is not None:
            headers["ETag"] = etag
        super().__init__(str(path), headers=headers, media_type=media_type)
        self._release = release

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._release()


class SpooledArchive(_Held):
    """A finished batch's archive."""

    def __init__(
        self, path: Path, record: JobRecord, *, release: Callable[[], None], etag: str | None = None
    ) -> None:
        super().__init__(path, archive_headers(record), "application/zip", release, etag)


class SpooledFile(_Held):
    """A finished image."""

    def __init__(
        self,
        path: Path,
        *,
        job_id: str,
        task: Task,
        options: ImageOptions,
        output: Format,
        report: ImageReport,
        file_name: str | None,
        release: Callable[[], None],
        etag: str | None = None,
    ) -> None:
        headers = provenance_headers(task, options, report)
        headers["X-Pixelmend-Job"] = job_id
        headers["Content-Disposition"] = content_disposition(
            result_name(file_name, task, options, output, report)
        )
        super().__init__(path, headers, output.media_type, release, etag)


def archive_headers(record: JobRecord) -> dict[str, str]:
    """The headers of a batch; what became of each image is in its archive."""
    headers = {
        "X-Pixelmend-Job": record.id,
        "X-Pixelmend-Items": str(len(record.items)),
        "X-Pixelmend-Model": record.options.main_model,
        "Content-Disposition": 'attachment; filename="pixelmend.zip"',
        "Cache-Control": "no-store",
    } | _dials(record.options)
    return {name: _header_safe(value) for name, value in headers.items()}


def provenance_headers(task: Task, options: ImageOptions, report: ImageReport) -> dict[str, str]:
    """How the result came about, so that it can be reproduced."""
    headers = {
        "X-Pixelmend-Model": report.model,
        "X-Pixelmend-Device": f"{report.device_type}; {report.device_name}",
        "X-Pixelmend-Precision": report.precision,
        "X-Pixelmend-Size": f"{report.width_px}x{report.height_px}",
        "X-Pixelmend-Tiles": f"{report.tiles}; px={report.tile_size}",
        "X-Pixelmend-Seconds": f"{report.total_s:.3f}",
        "Server-Timing": ", ".join(
            f"{name};dur={seconds * 1000:.1f}"
            for name, seconds in (
                ("decode", report.decode_s),
                ("inpaint", report.inpaint_s),
                ("erase", report.inpaint_s),  # the name of before stays for one version
                ("device", report.device_s),
                ("encode", report.encode_s),
            )
            if name not in ("inpaint", "erase") or seconds
        ),
    }
    if report.model_sha256:
        headers["X-Pixelmend-Model-SHA256"] = report.model_sha256
    headers |= _dials(options)
    headers |= task.headers(report)
    if report.not_kept:
        headers["X-Pixelmend-Not-Kept"] = ", ".join(report.not_kept)
    if report.notes:
        headers["X-Pixelmend-Notes"] = "; ".join(report.notes)
    return {name: _header_safe(value) for name, value in headers.items()}


def _dials(options: ImageOptions) -> dict[str, str]:
    turned = {} if options.upscale is None else options.upscale.dials.turned
    shown = ", ".join(f"{dial}={value:g}" for dial, value in turned.items())
    return {"X-Pixelmend-Dials": shown} if turned else {}


def result_name(
    file_name: str | None, task: Task, options: ImageOptions, output: Format, report: ImageReport
) -> str:
    """The name of a result, which says what was done: `photo-x4.png`, `photo-inpainted.webp`."""
    return f"{safe_stem(file_name or '')}{task.name_mark(options, report)}{output.suffix}"


def content_disposition(file_name: str) -> str:
    """`filename` for all clients, and `filename*` (RFC 6266) if it cannot say the name."""
    plain = unicodedata.normalize("NFKD", file_name)
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = "".join(c if " " <= c <= "~" and c not in '"\\%' else "_" for c in plain)
    encoded = "" if plain == file_name else f"; filename*=UTF-8''{quote(file_name, safe='')}"
    return f'attachment; filename="{plain}"{encoded}'


def _header_safe(value: str) -> str:
    return "".join(c if 32 <= ord(c) < 127 else "?" for c in value)[:2000]
