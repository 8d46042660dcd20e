"""The hooks that a program gives to an engine: by names, or as objects."""

from collections.abc import Iterable

from pixelmend.library.errors import InvalidArgument
from pixelmend.models.hooks import name_of, require_hook


def names_and_objects(hooks: Iterable[object], *, in_process: bool) -> tuple[list[str], list[object]]:
    """Names are for the process of the engine, objects for this one. Raises InvalidArgument."""
    names = [hook for hook in hooks if isinstance(hook, str)]
    objects = [hook for hook in hooks if not isinstance(hook, str)]
    for hook in objects:
        require_hook(hook)
        if hasattr(hook, "before_retry") and not in_process:
            raise InvalidArgument(
                f"{name_of(hook)} has before_retry, which frees memory in the engine's process; name the "
                "hook as 'module:attribute', and the engine's process imports it, or compute with "
                "in_process=True"
            )
    return names, objects
