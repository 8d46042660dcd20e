"""The web app, served by the service itself: one process is enough to use it."""

import json
import re
from pathlib import Path

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from pixelmend.api.files import ServedFile

CHECKOUT_BUILD = Path(__file__).parents[3] / "frontend" / "dist"
PACKAGED_BUILD = Path(__file__).parents[1] / "webapp"

# A page that is isolated from others may use threads in WebAssembly.
_ISOLATION = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "worker-src 'self' blob:",
        "connect-src 'self' blob:{api_origin}",
        # What the user gives, and what a service answers, is shown from memory.
        "img-src 'self' blob: data:",
        "media-src 'self' blob:{api_origin}",
        "font-src 'self'",
        # The component library sets colours and sizes as style attributes.
        "style-src 'self' 'unsafe-inline'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_REVALIDATED = {"Cache-Control": "no-cache"}
# Their names change with their content. Workers are documents of their own, so they need the policy too.
_KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}
_HASHED = re.compile(r".+-[\w-]{8,}\.\w+")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?(?=/|$)")
_NOTHING_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Pixelmend</title>
<p>This is Pixelmend's service. Its web app is not built: in a checkout, if Node.js 20 or newer is found,
<code>make run</code> builds it, and <code>make wheel</code> makes a package that has it. The API is here, and
<a href="docs">/docs</a> describes it.</p></html>
"""


def frontend_router(web_dir: Path | None) -> APIRouter:
    """`/`, the files beside it, and `/assets`; web_dir: None for the place where a build usually lies.

    What is there is looked up at each request, so that a build counts without a restart.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def page() -> Response:
        build = find_build(web_dir)
        headers = _page_headers(build) | _REVALIDATED
        if not is_built(build):
            return HTMLResponse(_NOTHING_BUILT, headers=headers)
        return ServedFile(build / "index.html", headers=headers)

    @router.get("/assets/{name:path}")
    async def asset(request: Request, name: str) -> Response:
        build = find_build(web_dir)
        caching = _KEPT if _HASHED.fullmatch(name) else _REVALIDATED
        return _file(build / "assets", name, _page_headers(build) | caching)

    @router.get("/{name}")
    async def beside(name: str) -> Response:
        build = find_build(web_dir)
        return _file(build, name, _page_headers(build) | _REVALIDATED)

    return router


def find_build(web_dir: Path | None) -> Path:
    """The built app's folder: the one that was named, a checkout's, or the one in the package."""
    if web_dir is not None:
        return web_dir
    return CHECKOUT_BUILD if is_built(CHECKOUT_BUILD) else PACKAGED_BUILD


def is_built(build: Path) -> bool:
    """Whether the folder has a page in it."""
    return (build / "index.html").is_file()


def api_origin(build: Path) -> str:
    """The other origin that the app asks (VITE_API_URL), as its build recorded it; empty: it asks its own."""
    try:
        found = _ORIGIN.match(json.loads((build / "build.json").read_bytes())["apiUrl"])
    except (OSError, ValueError, KeyError, TypeError):  # a build that records nothing, or nothing usable
        return ""
    return "" if found is None else found[0]


def _page_headers(build: Path) -> dict[str, str]:
    origin = api_origin(build)
    return {
        **_ISOLATION,
        "Content-Security-Policy": _POLICY.format(api_origin=f" {origin}" if origin else ""),
        "Referrer-Policy": "no-referrer",
    }


def _file(folder: Path, name: str, headers: dict[str, str]) -> Response:
    """Raises HTTPException 404 for what is not a file of that folder, links out of it included."""
    root = folder.resolve()
    try:
        path = (root / name).resolve()
        found = path.is_relative_to(root) and path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        found = False
    if not found:
        raise HTTPException(404, "there is no such file")
    return ServedFile(path, headers=headers)
