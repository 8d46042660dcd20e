"""`/api/instances`: memory and models of each service of an installation."""

from fastapi import APIRouter, Depends
from starlette.requests import Request

from pixelmend.api.memory_schemas import InstanceList, InstanceView
from pixelmend.api.peers import Peers
from pixelmend.api.queries import known_query
from pixelmend.api.routes.memory import memory_view
from pixelmend.api.routes.models import list_models
from pixelmend.api.schemas import Problem
from pixelmend.api.service import Service


def instances_router(service: Service) -> APIRouter:
    router = APIRouter(dependencies=[Depends(known_query)], tags=["memory"])
    peers = Peers(service.settings)

    @router.get(
        "/api/instances",
        summary="Memory and open models of this service and of those that PIXELMEND_PEERS names",
        responses={status: {"model": Problem} for status in (401, 403)},
    )
    async def show(request: Request) -> InstanceList:
        """Each is asked for at most a few seconds. To manage another one, ask it at its own address."""
        service.callers.identify(request)
        memory = memory_view(service, request)
        models = [model for model in list_models(service) if model.loaded]
        own = InstanceView(url=None, instance=memory.instance, problem=None, memory=memory, models=models)
        # The same list of peers may be given to each of them, itself included.
        others = [peer for peer in await peers.ask() if peer.instance != memory.instance]
        return InstanceList(instances=[own, *others])

    return router
