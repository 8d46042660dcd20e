"""Which service answers, if several stand behind one address."""

import socket

from starlette.requests import Request

from pixelmend.api.schemas import InstanceInfo
from pixelmend.core.config import Settings


def instance_of(request: Request, settings: Settings) -> InstanceInfo:
    """This service, as the request reached it."""
    _, port = request.scope.get("server") or (None, None)
    host, port = socket.gethostname(), port or settings.port
    return InstanceInfo(id=settings.instance or f"{host}-{port}", host=host, port=port)
