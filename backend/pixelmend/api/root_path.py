"""The service as a part of another site: https://example.org/pixelmend/ in the place of the root.

A proxy may take that part off the paths that it passes on, or leave it there; both work. Middleware sees
paths without it, and what writes addresses finds it as ASGI's ``root_path``.
"""

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pixelmend.core.errors import InvalidParameter

OWN_FOLDERS = frozenset({"api", "assets", "docs", "sdapi", "static-offline-docs", "v1"})
"""The first parts of the service's own paths."""


def check_root_path(root: str) -> None:
    """Raises InvalidParameter if the service has paths of its own that begin like `root`."""
    first = root.split("/")[1]
    if first in OWN_FOLDERS:
        raise InvalidParameter(
            f"PIXELMEND_ROOT_PATH={root}: the service uses /{first}/ itself; name another path"
        )


class OuterRootPath:
    """Takes `root` off paths that have it, before all other middleware."""

    def __init__(self, app: ASGIApp, root: str) -> None:
        self._app = app
        self._root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == self._root:
            # Addresses in the page are relative to its own, which has to end with a slash.
            await RedirectResponse(f"{self._root}/", 308)(scope, receive, send)
            return
        if scope["type"] == "http" and scope["path"].startswith(f"{self._root}/"):
            scope = {**scope, "path": scope["path"].removeprefix(self._root)}
        await self._app(scope, receive, send)


class InnerRootPath:
    """Tells the routes about `root`, as ASGI has it: their paths begin with it."""

    def __init__(self, app: ASGIApp, root: str) -> None:
        self._app = app
        self._root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "root_path": self._root, "path": self._root + scope["path"]}
        await self._app(scope, receive, send)
