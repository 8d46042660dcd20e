"""The routes that follow from the tasks: `POST /api/<kind>`."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from pixelmend.api.forms import request_body
from pixelmend.api.schemas import Problem
from pixelmend.api.service import Service
from pixelmend.tasks.task import JobKind

Answer = Callable[[Service, Request, JobKind], Awaitable[Response]]


def add_task_route(
    router: APIRouter,
    service: Service,
    kind: JobKind,
    answer: Answer,
    success: dict[str, Any],
    problems: tuple[int, ...],
) -> None:
    """success: what the OpenAPI document says of 200. problems: the other statuses."""

    async def answer_kind(request: Request) -> Response:
        return await answer(service, request, kind)

    responses: dict[int | str, dict[str, Any]] = {status: {"model": Problem} for status in problems}
    router.add_api_route(
        f"/api/{kind.name}",
        answer_kind,
        methods=["POST"],
        name=kind.name,
        summary=kind.summary,
        response_class=Response,
        responses={200: success, **responses},
        openapi_extra=request_body(kind, service.formats),
    )
