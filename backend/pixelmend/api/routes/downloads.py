"""`/api/models/{id}/download`: bring a model of the catalog here."""

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from pixelmend.api.queries import known_query
from pixelmend.api.routes.models import model_info
from pixelmend.api.schemas import ModelInfo, Problem
from pixelmend.api.service import Service
from pixelmend.core.errors import InvalidParameter
from pixelmend.models.remote import require_known
from pixelmend.tasks.options import FILL


def downloads_router(service: Service) -> APIRouter:
    router = APIRouter(
        dependencies=[Depends(known_query)],
        tags=["models"],
        responses={status: {"model": Problem} for status in (401, 403, 404, 422, 503)},
    )

    def require_network(request: Request, model_id: str) -> None:
        service.callers.require_admin(request)
        if model_id == FILL:
            raise InvalidParameter(f"model {FILL!r} is no network: there is nothing to download")

    @router.post(
        "/api/models/{model_id}/download",
        summary="Begin to download a model, or join its download",
        status_code=202,
        responses={200: {"model": ModelInfo, "description": "It is here already."}},
    )
    async def start(request: Request, response: Response, model_id: str) -> ModelInfo:
        require_network(request, model_id)
        service.downloads.start(model_id)
        info = model_info(service, model_id)
        if info.download is None:
            response.status_code = 200
        return info

    @router.delete(
        "/api/models/{model_id}/download",
        summary="Stop a model's download, or forget why it failed; what has arrived is kept for the next",
    )
    async def cancel(request: Request, model_id: str) -> ModelInfo:
        require_network(request, model_id)
        require_known(service.catalog, [model_id])
        service.downloads.cancel(model_id)
        return model_info(service, model_id)

    return router
