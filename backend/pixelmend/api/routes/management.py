"""`/api/management`: memory settings while the service runs; and what gives memory back at once."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request

from pixelmend.api.instance import instance_of
from pixelmend.api.json_body import read_object
from pixelmend.api.memory_schemas import FreedDevice, FreedView, ManagedSetting, ManagementView, NumberRange
from pixelmend.api.queries import known_query
from pixelmend.api.schemas import Problem
from pixelmend.api.service import Service
from pixelmend.api.waiting import executed
from pixelmend.core.config import Settings
from pixelmend.core.errors import InvalidParameter, PixelmendError
from pixelmend.core.management import MANAGED, range_of
from pixelmend.models.memory import FreedMemory
from pixelmend.worker.commands import FreeMemory, UnloadAll

_UNITS = {"percent": "percent", "minutes": "minutes", "interval": "seconds"}
_NOTE = (
    "Changes count at once in every worker, and in those that replace a lost one, until the service itself "
    "is started again. To keep them, set them in section gpu of config.yaml or as PIXELMEND_ variables."
)
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        name: {"type": "number" if range_of(name) else "boolean"} for name in MANAGED
                    },
                    "example": {"idle_timeout_minutes": 5, "cleanup_threshold_percent": 70},
                }
            }
        },
    }
}


def management_router(service: Service) -> APIRouter:
    router = APIRouter(
        dependencies=[Depends(known_query)],
        tags=["memory"],
        responses={status: {"model": Problem} for status in (401, 403)},
    )
    refusals: dict[int | str, dict[str, object]] = {s: {"model": Problem} for s in (422, 503, 504)}

    def view(request: Request) -> ManagementView:
        current, configured = service.management.current, service.management.configured
        return ManagementView(
            instance=instance_of(request, service.settings),
            settings={
                name: _setting(name, getattr(current, name), getattr(configured, name)) for name in MANAGED
            },
            persistent=False,
            note=_NOTE,
        )

    @router.get("/api/management", summary="Memory settings that can be changed while the service runs")
    async def show(request: Request) -> ManagementView:
        service.callers.identify(request)
        return view(request)

    @router.patch(
        "/api/management",
        summary="Change some of them, all or none; they count until the service is started again",
        responses={status: {"model": Problem} for status in (400, 413, 422)},
        openapi_extra=_BODY,
    )
    async def change(request: Request) -> ManagementView:
        service.callers.require_admin(request)
        changes = await read_object(request, service.settings.upload_timeout_s)
        if not changes:
            raise InvalidParameter(f"nothing is to be changed; there are: {', '.join(MANAGED)}")
        service.management.change(changes)
        service.log.info("memory settings changed", **{name: changes[name] for name in sorted(changes)})
        return view(request)

    async def freed(request: Request, command: FreeMemory | UnloadAll) -> FreedView:
        service.callers.require_admin(request)
        timeout_s = service.settings.request_timeout_s
        outcomes = await executed(request, service.workers.free(command), timeout_s)
        devices = [
            _device(service, index, device, outcome)
            for index, (device, outcome) in enumerate(zip(service.workers.devices(), outcomes, strict=True))
        ]
        return FreedView(
            instance=instance_of(request, service.settings),
            bytes=sum(device.bytes for device in devices),
            devices=devices,
        )

    @router.post(
        "/api/memory/free",
        summary="Unload what no job, pin or profile keeps, and clear the devices' caches",
        responses=refusals,
    )
    async def free(request: Request) -> FreedView:
        return await freed(request, FreeMemory())

    @router.post("/api/models/unload", summary="Unload all models", responses=refusals, tags=["models"])
    async def unload_all(
        request: Request,
        force: Annotated[
            bool, Query(description="Also what pins and profiles keep: they are taken away.")
        ] = False,
    ) -> FreedView:
        """A model that jobs use gets no new ones, and is unloaded when they have finished; this waits for
        that. No job is broken, with `force` either.
        """
        return await freed(request, UnloadAll(force))

    return router


def _setting(name: str, value: bool | float, configured: bool | float) -> ManagedSetting:
    allowed = range_of(name)
    return ManagedSetting(
        value=value,
        configured=configured,
        unit=next((unit for end, unit in _UNITS.items() if name.endswith(end)), None),
        range=allowed
        and NumberRange(
            minimum=allowed.minimum, maximum=allowed.maximum, minimum_excluded=allowed.minimum_excluded
        ),
        description=Settings.model_fields[name].description or "",
    )


def _device(service: Service, index: int, device: str, outcome: FreedMemory | PixelmendError) -> FreedDevice:
    problem = service.problem_body(outcome) if isinstance(outcome, PixelmendError) else None
    freed = FreedMemory() if isinstance(outcome, PixelmendError) else outcome
    return FreedDevice(
        index=index,
        device=device,
        bytes=freed.bytes,
        device_bytes=freed.device_bytes,
        models=list(freed.models),
        kept=list(freed.kept),
        unpinned=list(freed.unpinned),
        released=list(freed.released),
        problem=problem,
    )
