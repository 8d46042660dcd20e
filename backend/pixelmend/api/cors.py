"""Pages of other origins that may use the service, as the web app built with VITE_API_URL does."""

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

READABLE_HEADERS = (
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Location",
    "Retry-After",
    "Server-Timing",
    "X-Pixelmend-Device",
    "X-Pixelmend-Dials",
    "X-Pixelmend-Erased",
    "X-Pixelmend-Frames",
    "X-Pixelmend-Inpainted",
    "X-Pixelmend-Items",
    "X-Pixelmend-Job",
    "X-Pixelmend-Model",
    "X-Pixelmend-Model-SHA256",
    "X-Pixelmend-Not-Kept",
    "X-Pixelmend-Notes",
    "X-Pixelmend-Precision",
    "X-Pixelmend-Seconds",
    "X-Pixelmend-Size",
    "X-Pixelmend-Tiles",
    "X-Pixelmend-Unused",
    "X-Request-ID",
    "X-Seed",
)
"""What a script may read beside the few that it always may."""
SENDABLE_HEADERS = (
    "Authorization",
    "Cache-Control",
    "Content-Type",
    "Idempotency-Key",
    "If-None-Match",
    "If-Range",
    "Last-Event-ID",
    "Pragma",
    "Range",
    "X-API-Key",
    "X-Request-ID",
)
PREFLIGHT_KEPT_S = 3600


def named_origins(cors_origins: str) -> list[str]:
    """cors_origins: as the setting."""
    return [origin.strip() for origin in cors_origins.split(",") if origin.strip()]


def allow_origins(app: FastAPI, cors_origins: str) -> None:
    """cors_origins: as the setting. Keys are sent as headers, so that cookies are not needed nor allowed."""
    origins = named_origins(cors_origins)
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=SENDABLE_HEADERS,
            expose_headers=READABLE_HEADERS,
            max_age=PREFLIGHT_KEPT_S,
        )
