"""`POST /api/upscale`, `/api/inpaint` and so on: jobs for whose result the request waits."""

from typing import Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from pixelmend.api.queries import known_query
from pixelmend.api.routes.tasks import add_task_route
from pixelmend.api.service import Service
from pixelmend.api.synchronous import answered, image_response
from pixelmend.tasks.task import JobKind

_PROBLEMS = (400, 401, 403, 404, 406, 409, 413, 415, 422, 429, 500, 503, 504)


def images_router(service: Service) -> APIRouter:
    """A route for each task: `POST /api/<task>`."""
    router = APIRouter(dependencies=[Depends(known_query)], tags=["images"])
    content: dict[str, Any] = {output.media_type: {} for output in service.formats.outputs}
    for kind in service.tasks.kinds.values():
        if not kind.is_batch and not kind.task.is_long:
            success = {"content": content, "description": kind.task.result}
            add_task_route(router, service, kind, _answered, success, _PROBLEMS)
    return router


async def _answered(service: Service, request: Request, kind: JobKind) -> Response:
    return await answered(service, request, kind, lambda accepted: image_response(service, accepted))
