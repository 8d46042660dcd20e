"""`POST /api/estimate`: what a job would need, without its image."""

from typing import Any

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from pixelmend.api.auth import Caller
from pixelmend.api.forms import EstimateForm, estimate_request_body
from pixelmend.api.json_body import parse_object, read_body
from pixelmend.api.queries import known_query
from pixelmend.api.schemas import (
    DeviceInfo,
    EstimatedSeconds,
    EstimatedSize,
    EstimatedTiles,
    EstimateView,
    Problem,
)
from pixelmend.api.service import Service
from pixelmend.core.errors import InvalidParameter, MalformedUpload, PixelmendError
from pixelmend.core.geometry import Size
from pixelmend.jobs.admission import Admission, ImageHeader
from pixelmend.jobs.estimate import Estimate, estimate
from pixelmend.tasks.form import parse_fields
from pixelmend.tasks.upscale import UpscaleTask
from pixelmend.video.codecs import DEFAULT_QUALITY, codec_like

MAX_FIELDS = 32


def estimates_router(service: Service) -> APIRouter:
    router = APIRouter(dependencies=[Depends(known_query)], tags=["images"])

    @router.post(
        "/api/estimate",
        summary="What a job would need, or why it would be refused, from dimensions alone",
        response_model=EstimateView,
        responses={status: {"model": Problem} for status in (400, 401, 403, 413, 422)},
        openapi_extra=estimate_request_body(service.formats),
    )
    async def show(request: Request) -> EstimateView:
        caller = service.callers.identify(request)
        fields = await _fields(request, service.settings.upload_timeout_s)
        form = parse_fields(EstimateForm, service.recipes.applied(fields, UpscaleTask()))
        try:
            found = _estimate(service, caller, form)
        except PixelmendError as error:
            return _view(service, form, None, error)
        return _view(service, form, found, None)

    return router


def _estimate(service: Service, caller: Caller, form: EstimateForm) -> Estimate:
    """Raises what the image would be refused for now."""
    settings = service.settings
    options = form.options(service.default_models, service.formats.outputs[0].name)
    seen = service.loaded_model(options.main_model)
    task, catalog = UpscaleTask(), service.catalog
    admission = Admission.of(task, options, settings, catalog, seen, service.formats)
    header = ImageHeader(
        Size(form.image_width, form.image_height),
        grey=form.image_grey,
        has_alpha=form.image_alpha,
        bits=form.image_bits,
    )
    device = service.workers.status().device
    found = estimate(
        header,
        admission,
        seen,
        service.jobs.throughput,
        tile_px=settings.tile_px,
        batch_tiles=settings.batch_tiles_on(device.type if device else "cpu"),
    )
    service.callers.require_quota(caller)
    service.readiness.require_open(caller.owner)
    if form.image_frames > 1:
        return found.for_frames(form.image_frames)
    service.scheduler.require_pixels(found.size.pixels, caller.owner)
    return found


def _view(
    service: Service, form: EstimateForm, found: Estimate | None, refusal: PixelmendError | None
) -> EstimateView:
    device = service.workers.status().device
    plan = found.plan if found else None
    seconds = found.seconds if found else None
    return EstimateView(
        accepted=refusal is None,
        problem=None if refusal is None else service.problem_body(refusal),
        model=form.model or service.default_models.upscaler(form.scale, form.dials),
        device=DeviceInfo(
            type=device.type if device else None,
            name=device.name if device else None,
            total_bytes=device.total_bytes if device else None,
        ),
        precision=found.precision if found else None,
        result=found and EstimatedSize(width=found.size.width, height=found.size.height),
        tiles=None
        if found is None or plan is None or found.computed_px is None
        else EstimatedTiles(
            count=len(plan),
            width=plan.tile.width,
            height=plan.tile.height,
            overlap=plan.overlap_px,
            computed_pixels=found.computed_px,
        ),
        device_bytes=found.device_bytes if found else None,
        host_bytes=found.host_bytes if found else None,
        result_bytes=_film_bytes(form, found.size) if found else None,
        seconds=seconds
        and EstimatedSeconds(
            decode=round(seconds.decode, 3),
            device=round(seconds.device, 3),
            encode=round(seconds.encode, 3),
            total=round(seconds.total, 3),
        ),
        wait_seconds=_rounded(service.scheduler.forecast_s(0)),
    )


def _film_bytes(form: EstimateForm, size: Size) -> int | None:
    """As H.264 at its usual quality."""
    frames = form.image_frames
    return (
        None if frames == 1 else round(codec_like("").bits_per_px(DEFAULT_QUALITY) * size.pixels * frames / 8)
    )


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


async def _fields(request: Request, timeout_s: float) -> dict[str, Any]:
    """Read JSON, a form, or a multipart form without files. Raises what a body may be refused for."""
    body = await read_body(request, timeout_s)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith(("multipart/", "application/x-www-form-urlencoded")):
        return await _form(request, body)
    return parse_object(body, expected="a form or JSON")


async def _form(request: Request, body: bytes) -> dict[str, Any]:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        form = await Request(request.scope, receive).form(max_files=0, max_fields=MAX_FIELDS)
    except HTTPException as error:
        raise MalformedUpload(f"the form cannot be read: {error.detail}") from error
    fields = dict(form.multi_items())
    if len(fields) != len(form.multi_items()):
        raise InvalidParameter("a field was sent more than once")
    return fields
