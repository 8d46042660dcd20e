"""`/v1/images/upscale`, `/v1/images/edits`, `/v1/models`: as clients of OpenAI and LocalAI call them."""

import re
import time
from typing import Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pixelmend.api.dialects.fields import MULTIPART, request_body, unused_header
from pixelmend.api.dialects.openai_requests import Edit, EditFields, ImageRequest, Upscale, UpscaleFields
from pixelmend.api.dialects.results import ImageFile, JsonWithImages
from pixelmend.api.queries import known_query
from pixelmend.api.results import provenance_headers
from pixelmend.api.routes.models import list_models
from pixelmend.api.service import Service
from pixelmend.api.submissions import Accepted
from pixelmend.api.synchronous import answered, report_of, result_path
from pixelmend.core.errors import UnknownModel

_STATUS = {406: 400, 415: 400, 421: 400, 422: 400}
_WRONG_KEY = "invalid_api_key"
_CODES = {"unknown-model": "model_not_found", "key-refused": _WRONG_KEY, "key-missing": _WRONG_KEY}
_FILES = {"image": "The image; `image[]` is taken as well."}
_NAMED = re.compile(r"(\w+)[=:]")


def openai_router(service: Service) -> APIRouter:
    router = APIRouter(dependencies=[Depends(known_query)], tags=["compatible"])

    @router.post(
        "/v1/images/upscale",
        summary="As LocalAI: upscale an image; answers {created, data: [{url or b64_json}]}",
        response_class=Response,
        openapi_extra=request_body(UpscaleFields, MULTIPART, _FILES),
    )
    async def upscale(request: Request) -> Response:
        return await _answered(service, request, "upscale", Upscale(service))

    @router.post(
        "/v1/images/edits",
        summary="As OpenAI: remove what is under the transparent part of the mask, or of the image itself",
        response_class=Response,
        openapi_extra=request_body(
            EditFields, MULTIPART, _FILES | {"mask": "Transparent where the image is to be changed."}
        ),
    )
    async def edits(request: Request) -> Response:
        return await _answered(service, request, "inpaint", Edit(service))

    @router.get("/v1/models", summary="As OpenAI: the models that can be used now")
    async def models(request: Request) -> dict[str, Any]:
        service.callers.identify(request)
        return {"object": "list", "data": _models(service)}

    @router.get("/v1/models/{model_id}", summary="As OpenAI: one of them")
    async def model(request: Request, model_id: str) -> dict[str, Any]:
        service.callers.identify(request)
        there = _models(service)
        found = next((each for each in there if each["id"] == model_id), None)
        if found is None:
            known = ", ".join(each["id"] for each in there)
            raise UnknownModel(f"model={model_id[:64]!r} is not known; there are: {known}")
        return found

    return router


def openai_shape(problem: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """A problem as OpenAI's clients read it."""
    status, code = problem["status"], problem["type"]
    if code == "key-refused":
        status = 401
    named = _NAMED.match(problem["detail"])
    error = {
        "message": problem["detail"],
        "type": "invalid_request_error" if status < 500 else "server_error",
        "param": named[1] if named else None,
        "code": _CODES.get(code, code.replace("-", "_")),
    }
    return _STATUS.get(status, status), {"error": error}


def _models(service: Service) -> list[dict[str, Any]]:
    return [
        {"id": model.id, "object": "model", "created": 0, "owned_by": model.origin}
        for model in list_models(service)
        if model.present
    ]


async def _answered(service: Service, request: Request, kind: str, body: ImageRequest) -> Response:
    def answer(accepted: Accepted) -> Response:
        return _answer(service, request, body, accepted)

    return await answered(service, request, service.tasks.kind(kind), answer, body)


def _answer(service: Service, request: Request, body: ImageRequest, accepted: Accepted) -> Response:
    lease, asked = accepted.lease, body.asked
    record = lease.record
    headers = provenance_headers(service.tasks.kind(record.task).task, record.options, report_of(lease))
    headers |= {"X-Pixelmend-Job": record.id} | unused_header(asked.model_extra or {})
    created = int(time.time())
    if body.is_async:
        lease.release()
        url = f"{request.base_url}api/jobs/{record.id}/result"
        return JSONResponse({"created": created, "data": [{"url": url}]}, headers=headers)
    return JsonWithImages(
        lambda image: {"created": created, "data": [{"b64_json": image[0]}]},
        [ImageFile.whole(result_path(service, lease))],
        headers,
        lease.release,
    )
