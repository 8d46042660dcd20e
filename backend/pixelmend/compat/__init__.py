"""Other programs' interfaces, so that their scripts run with one changed import."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pixelmend.compat.networks import RRDBNet, SRVGGNetCompact
    from pixelmend.compat.realesrganer import RealESRGANer

__all__ = ["RRDBNet", "RealESRGANer", "SRVGGNetCompact"]

_MODULES = {
    "RRDBNet": "pixelmend.compat.networks",
    "RealESRGANer": "pixelmend.compat.realesrganer",
    "SRVGGNetCompact": "pixelmend.compat.networks",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
