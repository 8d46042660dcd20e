"""`/api/models` and `/api/profiles`: which there are, and what operators do with them."""

from fastapi import APIRouter, Depends
from starlette.requests import Request

from pixelmend.api.queries import known_query
from pixelmend.api.schemas import DownloadInfo, ModelInfo, ModelList, Problem, ProfileList
from pixelmend.api.service import Service
from pixelmend.api.waiting import while_connected
from pixelmend.core.errors import DeadlineExceeded, InvalidParameter, UnknownProfile
from pixelmend.models.description import ProfileDescription
from pixelmend.tasks.options import FILL
from pixelmend.worker.protocol import (
    Command,
    LoadModel,
    PinModel,
    PreloadProfile,
    ReleaseProfile,
    UnloadModel,
)

_REFUSALS = (401, 403, 404, 409, 422, 503, 504)


def models_router(service: Service) -> APIRouter:
    router = APIRouter(dependencies=[Depends(known_query)], tags=["models"])
    refusals: dict[int | str, dict[str, object]] = {status: {"model": Problem} for status in _REFUSALS}

    async def execute(request: Request, command: Command) -> None:
        """Returns once it has happened."""
        timeout_s = service.settings.request_timeout_s
        try:
            await while_connected(request, service.workers.execute(command), timeout_s)
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"not done within request_timeout_s={timeout_s:g}; it goes on, and /api/models shows its end"
            ) from error

    async def changed(request: Request, model_id: str, command: Command) -> ModelInfo:
        service.callers.require_admin(request)
        if model_id == FILL:
            raise InvalidParameter(f"model {FILL!r} is no network: it is always ready and takes no memory")
        service.catalog.get(model_id)
        await execute(request, command)
        return model_info(service, model_id)

    @router.get("/api/models", summary="The models there are")
    async def models() -> ModelList:
        return ModelList(models=list_models(service), passed_over=list(service.catalog.passed_over))

    @router.post("/api/models/{model_id}/load", summary="Open a model now", responses=refusals)
    async def load(request: Request, model_id: str) -> ModelInfo:
        return await changed(request, model_id, LoadModel(model_id))

    @router.post(
        "/api/models/{model_id}/unload",
        summary="Unload a model, once the jobs that use it have finished",
        responses=refusals,
    )
    async def unload(request: Request, model_id: str) -> ModelInfo:
        return await changed(request, model_id, UnloadModel(model_id))

    @router.post("/api/models/{model_id}/pin", summary="Open a model and never let it go", responses=refusals)
    async def pin(request: Request, model_id: str) -> ModelInfo:
        return await changed(request, model_id, PinModel(model_id, pinned=True))

    @router.post(
        "/api/models/{model_id}/unpin", summary="Let a pinned model go as others are", responses=refusals
    )
    async def unpin(request: Request, model_id: str) -> ModelInfo:
        return await changed(request, model_id, PinModel(model_id, pinned=False))

    @router.get("/api/profiles", summary="Named sets of models", responses=_some(refusals, 401, 403))
    async def profiles(request: Request) -> ProfileList:
        service.callers.identify(request)
        return ProfileList(profiles=_profiles(service))

    @router.post(
        "/api/profiles/{name}/preload", summary="Open a profile's models and hold them", responses=refusals
    )
    async def preload(request: Request, name: str) -> ProfileDescription:
        service.callers.require_admin(request)
        _profile(service, name)
        await execute(request, PreloadProfile(name))
        return _profile(service, name)

    @router.post("/api/profiles/{name}/release", summary="Release a profile's models", responses=refusals)
    async def release(request: Request, name: str) -> ProfileDescription:
        service.callers.require_admin(request)
        _profile(service, name)
        await execute(request, ReleaseProfile(name))
        return _profile(service, name)

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
    problem=None,
    bytes=0,
    pinned=False,
    leases=0,
    download=None,
)


def list_models(service: Service) -> list[ModelInfo]:
    """Every model of the catalog, with what the worker has of it, and what inpaints without a network."""
    found = [_FILL_INFO]
    known = {model.id: model for model in service.workers.status().models}
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
                denoise=entry.denoise_partner is not None,
                problem=service.paths.hidden(seen.problem) if seen and seen.problem else None,
                bytes=seen.bytes if seen else None,
                pinned=seen is not None and seen.pinned,
                leases=seen.leases if seen else 0,
                download=_download_info(service, entry.id),
            )
        )
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


def _profiles(service: Service) -> list[ProfileDescription]:
    return service.workers.profiles(service.settings.profiles)


def _profile(service: Service, name: str) -> ProfileDescription:
    for profile in _profiles(service):
        if profile.name == name:
            return profile
    raise UnknownProfile(f"profile={name!r} is not known")


def _some(
    responses: dict[int | str, dict[str, object]], *statuses: int
) -> dict[int | str, dict[str, object]]:
    return {status: responses[status] for status in statuses}
