"""`/api/jobs/{id}/playlist.m3u8`: what is finished of a film can be watched while the rest is computed."""

import math
from pathlib import Path

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from pixelmend.api.files import ServedFile
from pixelmend.api.owned_jobs import own_job
from pixelmend.api.queries import known_query
from pixelmend.api.schemas import Problem
from pixelmend.api.service import Service
from pixelmend.core.errors import UnknownJob, WrongJobState
from pixelmend.jobs.model import Job
from pixelmend.video.parts import SegmentRecord, finished_records

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
_PROBLEMS: dict[int | str, dict[str, object]] = {
    status: {"model": Problem} for status in (401, 403, 404, 409)
}


def films_router(service: Service) -> APIRouter:
    router = APIRouter(dependencies=[Depends(known_query)], tags=["jobs"])

    @router.get(
        "/api/jobs/{job_id}/playlist.m3u8",
        summary="The finished segments of a film that is being upscaled, as an HLS playlist that grows",
        response_class=Response,
        responses={200: {"content": {PLAYLIST_TYPE: {}}}, **_PROBLEMS},
    )
    async def playlist(request: Request, job_id: str) -> Response:
        records = finished_records(await _parts(service, request, job_id))
        return Response(_playlist(records), media_type=PLAYLIST_TYPE, headers={"Cache-Control": "no-store"})

    @router.get(
        "/api/jobs/{job_id}/segments/{number}.mp4",
        summary="One finished segment",
        response_class=Response,
        responses={200: {"content": {"video/mp4": {}}}, **_PROBLEMS},
    )
    async def segment(request: Request, job_id: str, number: int) -> Response:
        parts = await _parts(service, request, job_id)
        path = parts / f"{number:05d}.mp4"
        if not 0 <= number < 100_000 or not path.is_file():
            raise UnknownJob(f"job {job_id[:64]} has no finished segment {number}")
        return ServedFile(path, media_type="video/mp4", headers={"Cache-Control": "private, max-age=3600"})

    return router


async def _parts(service: Service, request: Request, job_id: str) -> Path:
    """The folder of the job's segments. Raises UnknownJob, WrongJobState."""
    found = await own_job(service, request, job_id)
    record = found.record if isinstance(found, Job) else found
    if not service.tasks.kind(record.task).task.takes_video:
        raise WrongJobState(f"job {record.id} is {record.task!r}, which has no segments")
    parts = service.spool.parts_path(record.id)
    if not parts.is_dir():
        raise WrongJobState(f"job {record.id} is {record.state}; it has segments while it runs")
    return parts


def _playlist(records: list[SegmentRecord]) -> str:
    """RFC 8216: each segment brings its own header, and its times go on from the one before."""
    playable = [record for record in records if record.file is not None and record.file.endswith(".mp4")]
    longest = max((math.ceil(record.seconds) for record in playable), default=10)
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-PLAYLIST-TYPE:EVENT", f"#EXT-X-TARGETDURATION:{longest}"]
    for record in playable:
        name = f"segments/{record.number}.mp4"
        lines += [f'#EXT-X-MAP:URI="{name}"', f"#EXTINF:{record.seconds:.6f},", name]
    return "\n".join(lines) + "\n"
