"""The application for a server that is not ours, as in `uvicorn api_server:app`.

It has all that the application itself does: routes, keys, quotas, limits on uploads, jobs that survive. What
`pixelmend serve` adds lies in the server, and is missing: bounds on the size and the time of a header
(`api/request_limits.py`), refusal of new work while a stopping service finishes the old, and
PIXELMEND_TRUSTED_PROXIES, in whose place the server's own rule counts.
"""

import os

from pydantic import ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from pixelmend.api.app import create_app
from pixelmend.api.service import build_service
from pixelmend.core.config import settings_of_this_user
from pixelmend.core.errors import PixelmendError
from pixelmend.core.telemetry import Logger, configure_logging

WITHOUT_OUR_SERVER = (
    "started by another server than `pixelmend serve`: PIXELMEND_HEADER_TIMEOUT_S and "
    "PIXELMEND_TRUSTED_PROXIES are not used, headers of any size are read, and new work is not refused while "
    "the service stops; use `python api_server.py` or `pixelmend serve` if strangers can reach this port"
)


class StandaloneApp:
    """Built when the server starts it, from the settings of this user; one process may have its data."""

    def __init__(self) -> None:
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises RuntimeError if the server does not announce its start (`--lifespan off`)."""
        if scope["type"] == "lifespan":
            try:
                self._app = _build()
            except (PixelmendError, ValidationError) as error:
                # In the protocol's own words: an exception looks like an application without a lifespan.
                await receive()
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
        if self._app is None:
            raise RuntimeError("the server has to use ASGI's lifespan: it starts the workers")
        await self._app(scope, receive, send)


def _build() -> ASGIApp:
    settings = settings_of_this_user()
    os.umask(0o077)
    sink = configure_logging(settings.log_level, settings.log_format)
    log = Logger(process="api")
    log.warning(WITHOUT_OUR_SERVER)
    return create_app(build_service(settings, log, lambda: sink.dropped))
