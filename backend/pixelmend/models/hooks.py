"""Own code of operators and programs, which is told of alerts and of recovery; docs/python.md."""

from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pixelmend.core.errors import InvalidParameter
from pixelmend.core.telemetry import Logger
from pixelmend.models.memory import Alert
from pixelmend.models.recovery import RecoveryEvent

ENTRY_POINT_GROUP = "pixelmend.hooks"
METHODS = ("on_alert", "on_recovery", "before_retry")


class Hooks:
    """Calls hooks, in their order; used by all threads. One that fails is logged and disturbs nothing."""

    def __init__(self, hooks: Iterable[object], log: Logger) -> None:
        """hooks: each has any of METHODS."""
        self._hooks = tuple(hooks)
        self._log = log

    def on_alert(self, alert: Alert) -> None:
        self._call("on_alert", alert)

    def on_recovery(self, event: RecoveryEvent) -> None:
        self._call("on_recovery", event)

    def before_retry(self) -> None:
        """Before something that failed is computed in another way: hooks may free memory of their own."""
        self._call("before_retry")

    def _call(self, method: str, *arguments: object) -> None:
        for hook in self._hooks:
            called: Callable[..., object] | None = getattr(hook, method, None)
            if called is None:
                continue
            try:
                called(*arguments)
            except Exception as error:
                self._log.error("a hook failed", hook=name_of(hook), method=method, exc_info=error)


def load_hooks(names: str, log: Logger) -> list[object]:
    """Those that are named as module:attribute, separated by commas, and all that are installed.

    Raises InvalidParameter for a name that gives no hook. One that is installed and cannot be loaded is
    logged: a package that is broken stops no service.
    """
    found = []
    for point in entry_points(group=ENTRY_POINT_GROUP):
        try:
            found.append(_hook(point))
        except Exception as error:
            log.error("an installed hook cannot be loaded", hook=point.value, exc_info=error)
    for name in filter(None, names.split(",")):
        try:
            found.append(_hook(EntryPoint(name, name, ENTRY_POINT_GROUP)))
        except Exception as error:
            words = error.message if isinstance(error, InvalidParameter) else repr(error)
            raise InvalidParameter(f"hooks={name!r} cannot be loaded: {words}") from error
    return found


def require_hook(hook: object) -> None:
    """Raises InvalidParameter if it has none of the methods."""
    if isinstance(hook, type) or not any(callable(getattr(hook, method, None)) for method in METHODS):
        raise InvalidParameter(f"{name_of(hook)} is no object with any of {', '.join(METHODS)}")


def name_of(hook: object) -> str:
    named: Any = hook if isinstance(hook, type) or hasattr(hook, "__name__") else type(hook)
    return str(getattr(named, "__qualname__", named.__name__))


def _hook(point: EntryPoint) -> object:
    """An object, or a module; of a class, an object of it."""
    loaded: object = point.load()
    hook = loaded() if isinstance(loaded, type) else loaded
    require_hook(hook)
    return hook
