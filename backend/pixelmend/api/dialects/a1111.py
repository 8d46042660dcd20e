"""`/sdapi/v1`: extras, and what else clients of A1111 (stable-diffusion-webui) ask for."""

import html
from collections.abc import Sequence
from functools import partial
from typing import Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from pixelmend.api.dialects.a1111_progress import progress_of
from pixelmend.api.dialects.a1111_requests import (
    THEIR_NAMES,
    BatchFields,
    ExtrasFields,
    ExtrasRequest,
    ManyImages,
    OneImage,
)
from pixelmend.api.dialects.fields import JSON, request_body
from pixelmend.api.dialects.results import ImageFile, JsonWithImages
from pixelmend.api.json_body import read_object
from pixelmend.api.queries import known_query
from pixelmend.api.results import provenance_headers
from pixelmend.api.routes.models import list_models
from pixelmend.api.service import Service
from pixelmend.api.submissions import Accepted
from pixelmend.api.synchronous import answered, report_of, result_path
from pixelmend.core.error_codes import error_from_code
from pixelmend.core.errors import InvalidParameter

_HARMLESS_OPTIONS = frozenset(
    {
        "CLIP_stop_at_last_layers",
        "live_previews_enable",
        "samples_save",
        "sd_vae",
        "show_progress_every_n_steps",
    }
)
"""They say how pictures are made of words, and whether the server keeps what it made."""


def a1111_router(service: Service) -> APIRouter:
    router = APIRouter(prefix="/sdapi/v1", dependencies=[Depends(known_query)], tags=["compatible"])

    @router.post(
        "/extra-single-image",
        summary="As A1111: upscale an image; answers {image, html_info}",
        response_class=Response,
        openapi_extra=request_body(
            ExtrasFields, JSON, {"image": "The image, as a data: address or without."}
        ),
    )
    async def single(request: Request) -> Response:
        return await _answered(service, request, "upscale", OneImage(service))

    @router.post(
        "/extra-batch-images",
        summary="As A1111: upscale images in the same way; answers {images, html_info}",
        response_class=Response,
        openapi_extra=request_body(BatchFields, JSON, {}),
    )
    async def batch(request: Request) -> Response:
        return await _answered(service, request, "upscale-batch", ManyImages(service))

    @router.get("/upscalers", summary="As A1111: what upscaler_1 may be")
    async def upscalers() -> list[dict[str, Any]]:
        theirs = {model_id: name for name, model_id in THEIR_NAMES.items()}
        empty = dict.fromkeys(("model_path", "model_url"))
        return [
            {"name": theirs.get(model.id, model.id), "model_name": model.id, "scale": model.scale, **empty}
            for model in list_models(service)
            if model.present and model.task == "upscale"
        ]

    @router.get("/sd-models", summary="As A1111: the default model in the place of a checkpoint")
    async def sd_models() -> list[dict[str, Any]]:
        names = dict.fromkeys(("title", "model_name", "filename"), service.settings.default_model)
        return [{**names, **dict.fromkeys(("hash", "sha256", "config"))}]

    @router.get("/options", summary="As A1111: the settings that clients look at")
    async def options() -> dict[str, Any]:
        return _options(service)

    @router.post("/options", summary="As A1111: taken if it would change nothing")
    async def set_options(request: Request) -> None:
        service.callers.identify(request)
        there = _options(service)
        for name, value in (await read_object(request, service.settings.upload_timeout_s)).items():
            if name not in _HARMLESS_OPTIONS and not (name in there and there[name] == value):
                raise InvalidParameter(f"{name[:64]}={value!r:.64}: this cannot be set here")

    @router.get("/progress", summary="As A1111: how far the caller's own work is")
    async def progress(request: Request, skip_current_image: bool = False) -> dict[str, Any]:
        return progress_of(service.jobs.live_of(service.callers.identify(request).owner))

    @router.get("/scripts", summary="As A1111: there are none")
    async def scripts() -> dict[str, list[str]]:
        return {"txt2img": [], "img2img": []}

    return router


def _options(service: Service) -> dict[str, Any]:
    model = service.settings.default_model
    return {"sd_model_checkpoint": model, "sd_checkpoint_hash": "", "samples_format": "png"}


async def _answered(service: Service, request: Request, kind: str, body: ExtrasRequest) -> Response:
    answer = partial(_images if isinstance(body, ManyImages) else _image, service)
    return await answered(service, request, service.tasks.kind(kind), answer, body)


def _image(service: Service, accepted: Accepted) -> Response:
    lease, report = accepted.lease, report_of(accepted.lease)
    record = lease.record
    headers = provenance_headers(service.tasks.kind(record.task).task, record.options, report)
    headers["X-Pixelmend-Job"] = record.id
    told = _told(report.model, [f"{report.width_px}x{report.height_px}", *report.notes])
    return JsonWithImages(
        lambda image: {"html_info": told, "image": image[0]},
        [ImageFile.whole(result_path(service, lease))],
        headers,
        lease.release,
    )


def _images(service: Service, accepted: Accepted) -> Response:
    """Raises what one of them failed with: there is no place for it in their answer."""
    lease = accepted.lease
    items = lease.record.items if lease.job is None else lease.job.items
    path, files = result_path(service, lease), []
    for number, item in enumerate(items):
        if item.result is None:
            why = f"imageList[{number}], {item.file_name!r}: {item.error_message}"
            raise error_from_code(item.error_code or "internal-error", why)
        files.append(ImageFile(path, item.result.size_bytes, item.output_name))
    told = _told(lease.record.options.main_model, [item.output_name for item in items])
    return JsonWithImages(
        lambda images: {"html_info": told, "images": list(images)},
        files,
        {"X-Pixelmend-Job": lease.record.id},
        lease.release,
    )


def _told(model: str, parts: Sequence[str]) -> str:
    return f"<p>{html.escape('; '.join([f'Upscaled by {model}', *parts]))}</p>"
