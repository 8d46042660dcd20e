"""`/api/v1/inpaint` and what else IOPaint's own page and its clients ask for."""

from types import MappingProxyType
from typing import Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from pixelmend.api.dialects.fields import JSON, request_body, unused_header
from pixelmend.api.dialects.iopaint_requests import (
    ImageRequest,
    Inpaint,
    InpaintFields,
    PluginFields,
    Upscale,
)
from pixelmend.api.json_body import read_object
from pixelmend.api.queries import known_query
from pixelmend.api.receiving import discard
from pixelmend.api.routes.models import list_models
from pixelmend.api.service import Service
from pixelmend.api.synchronous import answered, image_response
from pixelmend.core.errors import InvalidParameter

PLUGIN = "RealESRGAN"
"""The only plug-in of IOPaint's that we stand in for: upscaling."""
_SUPPORTS = ("strength", "outpainting", "controlnet", "brushnet", "powerpaint_v2", "lcm_lora")
_ABSENT = MappingProxyType(
    {
        "removeBGModel": "",
        "removeBGModels": (),
        "interactiveSegModel": "",
        "interactiveSegModels": (),
        "samplers": (),
        "enableFileManager": False,
        "enableAutoSaving": False,
        "enableControlnet": False,
        "controlnetMethod": None,
        "isDesktop": False,
    }
)
"""What its page asks for and there is nothing of here."""


def iopaint_router(service: Service) -> APIRouter:
    router = APIRouter(prefix="/api/v1", dependencies=[Depends(known_query)], tags=["compatible"])
    timeout_s = service.settings.upload_timeout_s

    @router.post(
        "/inpaint",
        summary="As IOPaint: remove what is white in the mask and answer the image",
        response_class=Response,
        openapi_extra=request_body(
            InpaintFields, JSON, {"image": "The image.", "mask": "White marks what is to be changed."}
        ),
    )
    async def inpaint(request: Request) -> Response:
        body = Inpaint(service)
        response = await _answered(service, request, "inpaint", body)
        response.headers["X-Seed"] = str(body.seed)
        return response

    @router.post(
        "/run_plugin_gen_image",
        summary="As IOPaint's plug-in RealESRGAN: upscale an image and answer it",
        response_class=Response,
        openapi_extra=request_body(PluginFields, JSON, {"image": "The image."}),
    )
    async def run_plugin(request: Request) -> Response:
        return await _answered(service, request, "upscale", Upscale(service))

    @router.get("/server-config", summary="As IOPaint: what its page shows")
    async def server_config() -> dict[str, Any]:
        models = [model for model in list_models(service) if model.present]
        upscalers = [model.id for model in models if model.task == "upscale"]
        return {
            "plugins": [{"name": PLUGIN, "support_gen_image": True, "support_gen_mask": False}],
            "modelInfos": [_model_info(model.id) for model in models if model.task == "inpaint"],
            **_ABSENT,
            "realesrganModel": service.settings.default_model,
            "realesrganModels": upscalers,
            "disableModelSwitch": True,
        }

    @router.get("/model", summary="As IOPaint: the model that inpaints")
    async def model() -> dict[str, Any]:
        return _model_info(service.settings.default_inpaint_model)

    @router.post("/model", summary="As IOPaint: choose it; the one that is set is the one there is")
    async def choose(request: Request) -> dict[str, Any]:
        service.callers.identify(request)
        name = (await read_object(request, timeout_s)).get("name")
        default = service.settings.default_inpaint_model
        if name != default:
            raise InvalidParameter(f"name={str(name)[:64]!r}: PIXELMEND_DEFAULT_INPAINT_MODEL is {default}")
        return _model_info(default)

    @router.get("/inputimage", summary="As IOPaint: there is no image that the page opens with")
    async def input_image() -> dict[str, str]:
        return {"detail": "the service was started with no image"}

    @router.post("/gen-info", summary="As IOPaint: the prompt in an image; prompts are not looked for")
    async def prompt_of(request: Request) -> dict[str, str]:
        service.callers.identify(request)
        await discard(service, request)
        return {"prompt": "", "negative_prompt": ""}

    @router.get("/samplers", summary="As IOPaint: there are none")
    async def samplers() -> list[str]:
        return []

    return router


def _model_info(model_id: str) -> dict[str, Any]:
    return {
        "name": model_id,
        "path": model_id,
        "model_type": "inpaint",
        "is_single_file_diffusers": False,
        "need_prompt": False,
        "controlnets": [],
        "brushnets": [],
        **{f"support_{name}": False for name in _SUPPORTS},
    }


async def _answered(service: Service, request: Request, kind: str, body: ImageRequest) -> Response:
    response = await answered(
        service, request, service.tasks.kind(kind), lambda accepted: image_response(service, accepted), body
    )
    response.headers.update(unused_header(body.unused))
    return response
