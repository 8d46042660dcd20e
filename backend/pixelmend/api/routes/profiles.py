"""`/api/profiles`: named sets of models, and what operators do with them."""

from typing import Any

from fastapi import APIRouter, Depends
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from pixelmend.api.json_body import read_object
from pixelmend.api.queries import known_query
from pixelmend.api.schemas import Problem, ProfileList
from pixelmend.api.service import Service
from pixelmend.api.waiting import executed
from pixelmend.core.errors import InvalidParameter, ProfileActive
from pixelmend.core.profile import Profile
from pixelmend.models.description import ProfileDescription
from pixelmend.tasks.options import FILL
from pixelmend.worker.commands import ReleaseProfile

_REFUSALS = (401, 403, 404, 409, 422, 503, 504)
_NOT_OF_A_PROFILE = ("name", "active", "read_only")
"""What an answer has besides: ignored, so that an answer can be changed and sent back."""


def profiles_router(service: Service) -> APIRouter:
    router = APIRouter(dependencies=[Depends(known_query)], tags=["models"])
    refusals: dict[int | str, dict[str, object]] = {status: {"model": Problem} for status in _REFUSALS}
    timeout_s = service.settings.request_timeout_s

    def described(name: str) -> ProfileDescription:
        profile = service.profiles.get(name)
        return ProfileDescription(
            name=name,
            active=name in service.workers.active_profiles,
            read_only=service.profiles.is_read_only(name),
            **{field: getattr(profile, field) for field in Profile.model_fields},
        )

    async def release_models(request: Request, name: str) -> None:
        await executed(request, service.workers.execute(ReleaseProfile(name)), timeout_s)

    @router.get(
        "/api/profiles",
        summary="Named sets of models",
        responses={status: refusals[status] for status in (401, 403)},
    )
    async def profiles(request: Request) -> ProfileList:
        service.callers.identify(request)
        return ProfileList(profiles=[described(name) for name in service.profiles.all])

    @router.put(
        "/api/profiles/{name}",
        summary="Make a profile, or change one that is not active",
        status_code=201,
        responses={
            **refusals,
            200: {"model": ProfileDescription, "description": "It was changed."},
            400: {"model": Problem},
            413: {"model": Problem},
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": _schema()}},
            }
        },
    )
    async def put(request: Request, response: Response, name: str) -> ProfileDescription:
        """It is kept in the data directory. Those of the configuration are read-only. `placements` has, by
        the ids of models, a `device` and a `priority` for some of them.
        """
        service.callers.require_admin(request)
        service.profiles.require_changeable(name)
        profile = _profile(await read_object(request, service.settings.upload_timeout_s))
        _require_models_and_devices(service, profile)
        if name in service.workers.active_profiles:
            raise ProfileActive(f"profile {name!r} is preloaded; release it before it is changed")
        is_new = name not in service.profiles.all
        service.profiles.put(name, profile)
        service.workers.use_profiles(service.profiles.all)
        response.status_code = 201 if is_new else 200
        return described(name)

    @router.delete(
        "/api/profiles/{name}",
        summary="Release a profile that was made over HTTP, and remove it",
        status_code=204,
        response_class=Response,
        responses=refusals,
    )
    async def remove(request: Request, name: str) -> None:
        service.callers.require_admin(request)
        service.profiles.get(name)
        service.profiles.require_changeable(name)
        if name in service.workers.active_profiles:
            await release_models(request, name)
        service.profiles.remove(name)
        service.workers.use_profiles(service.profiles.all)

    @router.post(
        "/api/profiles/{name}/preload", summary="Open a profile's models and hold them", responses=refusals
    )
    async def preload(request: Request, name: str) -> ProfileDescription:
        service.callers.require_admin(request)
        profile = service.profiles.get(name)
        await executed(request, service.workers.preload(name, profile), timeout_s)
        return described(name)

    @router.post("/api/profiles/{name}/release", summary="Release a profile's models", responses=refusals)
    async def release(request: Request, name: str) -> ProfileDescription:
        service.callers.require_admin(request)
        service.profiles.get(name)
        await release_models(request, name)
        return described(name)

    return router


def _schema() -> dict[str, Any]:
    """The schema of a profile. Its parts are among the document's components, since answers refer to them."""
    schema = Profile.model_json_schema(ref_template="#/components/schemas/{model}")
    return {name: value for name, value in schema.items() if name != "$defs"}


def _profile(given: dict[str, Any]) -> Profile:
    fields = {name: value for name, value in given.items() if name not in _NOT_OF_A_PROFILE}
    try:
        return Profile.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = ", ".join(Profile.model_fields)
            raise InvalidParameter(f"{where[:128]!r} is not known; there are: {known}") from error
        shown = "" if first["type"] in ("missing", "value_error") else f"={first['input']!r:.64}"
        raise InvalidParameter(f"{where[:128]}{shown}: {first['msg']}".removeprefix(": ")) from error


def _require_models_and_devices(service: Service, profile: Profile) -> None:
    """Raises InvalidParameter for a device that is not there, UnknownModel."""
    for model in profile.models:
        if model == FILL:
            raise InvalidParameter(f"model {FILL!r} is no network: it is always ready and takes no memory")
        service.catalog.get(model)
        device = profile.device_of(model)
        if device is not None:
            service.workers.device_named(device)
