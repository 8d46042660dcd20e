"""`/api/models`: which there are, and what operators do with them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request

from pixelmend.api.instance import instance_of
from pixelmend.api.queries import known_query
from pixelmend.api.schemas import DownloadInfo, ModelInfo, ModelList, Problem
from pixelmend.api.service import Service
from pixelmend.api.waiting import executed
from pixelmend.core.errors import InvalidParameter
from pixelmend.models.catalog import ModelEntry
from pixelmend.models.description import ModelDescription
from pixelmend.models.missing_libraries import foreseen_problem
from pixelmend.tasks.options import FILL
from pixelmend.worker.commands import (
    Command,
    LoadModel,
    PinModel,
    UnloadModel,
)

_REFUSALS = (401, 403, 404, 409, 422, 503, 504)


def models_router(service: Service) -> APIRouter:
    router = APIRouter(dependencies=[Depends(known_query)], tags=["models"])
    refusals: dict[int | str, dict[str, object]] = {status: {"model": Problem} for status in _REFUSALS}

    async def changed(
        request: Request, model_id: str, command: Command, device: str | None = None
    ) -> ModelInfo:
        service.callers.require_admin(request)
        if model_id == FILL:
            raise InvalidParameter(f"model {FILL!r} is no network: it is always ready and takes no memory")
        service.catalog.get(model_id)
        index = None if device is None else service.workers.device_named(device)
        await executed(request, service.workers.execute(command, index), service.settings.request_timeout_s)
        return model_info(service, model_id)

    @router.get("/api/models", summary="The models there are")
    async def models(request: Request) -> ModelList:
        return ModelList(
            instance=instance_of(request, service.settings),
            models=list_models(service),
            passed_over=list(service.catalog.passed_over),
        )

    @router.post("/api/models/{model_id}/load", summary="Open a model now", responses=refusals)
    async def load(
        request: Request,
        model_id: str,
        device: Annotated[
            str | None,
            Query(description="Like cuda:1, or its index; by itself where it is open or where most is free."),
        ] = None,
    ) -> ModelInfo:
        return await changed(request, model_id, LoadModel(model_id), device)

    @router.post(
        "/api/models/{model_id}/unload",
        summary="Unload a model, once the jobs that use it have finished",
        responses=refusals,
    )
    async def unload(
        request: Request,
        model_id: str,
        force: Annotated[
            bool, Query(description="Take away its pin, and release the profiles that hold it.")
        ] = False,
    ) -> ModelInfo:
        """Jobs that use it are never broken, with `force` either: this waits for them."""
        return await changed(request, model_id, UnloadModel(model_id, force))

    @router.post("/api/models/{model_id}/pin", summary="Open a model and never let it go", responses=refusals)
    async def pin(request: Request, model_id: str) -> ModelInfo:
        return await changed(request, model_id, PinModel(model_id, pinned=True))

    @router.post(
        "/api/models/{model_id}/unpin", summary="Let a pinned model go as others are", responses=refusals
    )
    async def unpin(request: Request, model_id: str) -> ModelInfo:
        return await changed(request, model_id, PinModel(model_id, pinned=False))

    return router


_FILL_INFO = ModelInfo(
    id=FILL,
    title="Pixelmend fill: removes things by the image's own patches, without a network",
    task="inpaint",
    scale=1,
    architecture=None,
    licence="Apache-2.0",
    origin="embedded",
    file_bytes=None,
    present=True,
    loaded=True,
    precision="float32",
    denoise=False,
    detail=False,
    problem=None,
    bytes=0,
    pinned=False,
    leases=0,
    profiles=[],
    idle_s=None,
    devices=[],
    download=None,
)


def list_models(service: Service) -> list[ModelInfo]:
    """Every model of the catalog, with what the worker has of it, and what inpaints without a network."""
    found = [_FILL_INFO]
    known = {model.id: model for model in service.workers.status().models}
    idle_s, opened = _idle_times(service), _devices_by_model(service)
    for entry in service.catalog.entries:
        seen = known.get(entry.id)
        found.append(
            ModelInfo(
                id=entry.id,
                title=entry.title,
                task=seen.task if seen else entry.task,
                scale=(seen.scale if seen else None) or entry.scale,
                architecture=(seen.architecture if seen else None) or entry.architecture,
                licence=entry.licence,
                origin=entry.origin,
                file_bytes=entry.size_bytes,
                present=entry.present,
                loaded=seen is not None and seen.loaded,
                precision=seen.precision if seen else None,
                denoise="denoise" in entry.partners,
                detail="detail" in entry.partners,
                problem=_problem_of(service, entry, seen),
                bytes=seen.bytes if seen else None,
                pinned=seen is not None and seen.pinned,
                leases=seen.leases if seen else 0,
                profiles=list(seen.profiles) if seen else [],
                idle_s=idle_s.get(entry.id) if seen and not seen.leases else None,
                devices=opened.get(entry.id, []),
                download=_download_info(service, entry.id),
            )
        )
    return found


def _problem_of(service: Service, entry: ModelEntry, seen: ModelDescription | None) -> str | None:
    """What the worker found, or else what can be foreseen, before anything is downloaded."""
    if seen and seen.problem:
        return service.paths.hidden(seen.problem)
    # Replicas have installations of their own.
    if (seen and seen.loaded) or service.settings.cluster:
        return None
    return foreseen_problem(entry.architecture)


def _idle_times(service: Service) -> dict[str, float]:
    """By model: how long ago it was used, as the latest samples say."""
    found: dict[str, float] = {}
    for memory in service.workers.memories:
        for model in memory.latest.models if memory.latest else ():
            found[model.model] = min(model.idle_s, found.get(model.model, model.idle_s))
    return found


def _devices_by_model(service: Service) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for device, status in zip(service.workers.devices(), service.workers.statuses(), strict=True):
        for model in status.models:
            if model.loaded:
                found.setdefault(model.id, []).append(device)
    return found


def model_info(service: Service, model_id: str) -> ModelInfo:
    """What can be said of a model that is there."""
    return next(model for model in list_models(service) if model.id == model_id)


def _download_info(service: Service, model_id: str) -> DownloadInfo | None:
    state = service.downloads.find(model_id)
    if state is None:
        return None
    return DownloadInfo(
        state="running" if state.error is None else "failed",
        received_bytes=state.received_bytes,
        total_bytes=state.total_bytes,
        problem=None if state.error is None else service.problem_body(state.error),
    )
