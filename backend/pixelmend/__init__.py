"""Self-hosted image upscaling and object removal. For programs: docs/python.md."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pixelmend.core.errors import PixelmendError
    from pixelmend.library.errors import InvalidArgument
    from pixelmend.library.inpainter import Inpainter
    from pixelmend.library.upscaler import Upscaler
    from pixelmend.models.memory import Alert
    from pixelmend.models.recovery import RecoveryEvent
    from pixelmend.tasks.image import ImageReport

__all__ = [
    "Alert",
    "ImageReport",
    "Inpainter",
    "InvalidArgument",
    "PixelmendError",
    "RecoveryEvent",
    "Upscaler",
]

_MODULES = {
    "Alert": "pixelmend.models.memory",
    "ImageReport": "pixelmend.tasks.image",
    "Inpainter": "pixelmend.library.inpainter",
    "InvalidArgument": "pixelmend.library.errors",
    "PixelmendError": "pixelmend.core.errors",
    "RecoveryEvent": "pixelmend.models.recovery",
    "Upscaler": "pixelmend.library.upscaler",
}


def __getattr__(name: str) -> Any:
    """Public names are imported when they are used: the service and the command line load none of this."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
