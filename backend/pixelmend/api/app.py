"""The application: routers, error translation, start and stop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from types import MappingProxyType

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from pixelmend.api.content_coding import UncodedBodies
from pixelmend.api.cors import allow_origins
from pixelmend.api.dialects.a1111 import a1111_router
from pixelmend.api.dialects.errors import DialectErrors, webui_shape
from pixelmend.api.dialects.iopaint import iopaint_router
from pixelmend.api.dialects.openai_images import openai_router, openai_shape
from pixelmend.api.errors import problem_for, problem_for_status
from pixelmend.api.frontend import frontend_router
from pixelmend.api.methods import HeadAsGet, allowed_methods
from pixelmend.api.middleware import ErrorBoundary, KeyForEverything, RequestContext
from pixelmend.api.root_path import InnerRootPath, OuterRootPath, check_root_path
from pixelmend.api.routes.batches import batches_router
from pixelmend.api.routes.docs import DocsPolicy
from pixelmend.api.routes.downloads import downloads_router
from pixelmend.api.routes.estimates import estimates_router
from pixelmend.api.routes.films import films_router
from pixelmend.api.routes.images import images_router
from pixelmend.api.routes.instances import instances_router
from pixelmend.api.routes.jobs import jobs_router
from pixelmend.api.routes.management import management_router
from pixelmend.api.routes.memory import memory_router
from pixelmend.api.routes.models import models_router
from pixelmend.api.routes.profiles import profiles_router
from pixelmend.api.routes.system import system_router
from pixelmend.api.same_site import SameSite
from pixelmend.api.service import Service
from pixelmend.api.tracing import Tracing
from pixelmend.core.error_codes import known_error
from pixelmend.core.errors import InternalError, InvalidParameter, PixelmendError
from pixelmend.core.version import VERSION

DIALECTS = MappingProxyType({"/v1/": openai_shape, "/sdapi/": webui_shape, "/api/v1/": webui_shape})
"""How problems look to the clients of other programs, by the beginnings of the paths that they call."""
CLIENT_GONE = 499
"""nginx's status for a client that went away; it is only for the access log."""


def create_app(service: Service) -> FastAPI:
    """`service` is started and stopped with the application."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await service.jobs.start()
        service.scheduler.start()
        service.deliveries.start()
        try:
            yield
        finally:
            service.downloads.cancel_all()
            await service.jobs.drain()
            await service.scheduler.stop()
            await service.downloads.close()
            await service.deliveries.stop()
            await service.jobs.close()
            if service.traces is not None:
                await asyncio.to_thread(service.traces.close)

    # FastAPI's own documentation page loads its scripts from a third party, which an offline machine
    # cannot reach and a private one should not.
    app = FastAPIOffline(
        title="Pixelmend",
        version=VERSION,
        description="Self-hosted image upscaling. Errors are application/problem+json.",
        lifespan=lifespan,
        redoc_url=None,
    )
    app.include_router(images_router(service))
    app.include_router(batches_router(service))
    app.include_router(estimates_router(service))
    app.include_router(jobs_router(service))
    app.include_router(films_router(service))
    app.include_router(models_router(service))
    app.include_router(downloads_router(service))
    app.include_router(memory_router(service))
    app.include_router(management_router(service))
    app.include_router(profiles_router(service))
    app.include_router(instances_router(service))
    app.include_router(system_router(service))
    app.include_router(openai_router(service))
    app.include_router(a1111_router(service))
    app.include_router(iopaint_router(service))
    app.include_router(frontend_router(service.settings.web_dir))

    async def on_http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        response = problem_for_status(
            error.status_code, f"{request.method} {request.url.path}: {error.detail}"
        )
        for name, value in (error.headers or {}).items():
            response.headers[name] = value
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            # The router names the methods of one route alone.
            response.headers["Allow"] = allowed_methods(app.router.routes, request.scope)
        return response

    def answer(error: Exception) -> Response:
        known = known_error(error)
        known.message = service.paths.hidden(known.message)
        service.metrics.request_refused(known.code)
        if isinstance(known, InternalError):
            service.log.error("request failed by a bug", exc_info=error)
        return problem_for(known, service.scheduler.retry_after_s())

    async def on_error(_: Request, error: Exception) -> Response:
        return answer(error)

    async def on_wrong_query(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        return answer(InvalidParameter(f"{first['loc'][-1]}={first['input']!r:.64}: {first['msg']}"))

    async def on_client_gone(_: Request, __: Exception) -> Response:
        return Response(status_code=CLIENT_GONE)

    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(RequestValidationError, on_wrong_query)
    app.add_exception_handler(PixelmendError, on_error)
    app.add_exception_handler(OSError, on_error)
    app.add_exception_handler(ClientDisconnect, on_client_gone)
    root = service.settings.root_path
    if root:
        check_root_path(root)
        app.add_middleware(InnerRootPath, root=root)
    if service.settings.key_for_everything:
        app.add_middleware(KeyForEverything, callers=service.callers)
    # From the inside out: whatever is answered has an id, is counted, and can be read by origins that may.
    app.add_middleware(ErrorBoundary, log=service.log, answer=answer)
    app.add_middleware(UncodedBodies, metrics=service.metrics)
    allow_origins(app, service.settings.cors_origins)
    app.add_middleware(
        SameSite,
        allowed_hosts=service.settings.allowed_hosts,
        cors_origins=service.settings.cors_origins,
        metrics=service.metrics,
    )
    app.add_middleware(DialectErrors, shapes=DIALECTS)
    app.add_middleware(DocsPolicy)
    app.add_middleware(HeadAsGet)
    if service.traces is not None:
        app.add_middleware(Tracing, traces=service.traces)
    app.add_middleware(RequestContext, log=service.log, metrics=service.metrics)
    if root:
        app.add_middleware(OuterRootPath, root=root)
    return app
