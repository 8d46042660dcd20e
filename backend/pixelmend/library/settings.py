"""The settings of an engine that a program opens: its own, then the user's, as the command line has them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pixelmend.core.config import Settings, settings_of_this_user
from pixelmend.library.errors import InvalidArgument, as_invalid_arguments


def library_settings(folder: Path, hooks: Sequence[str] = (), **given: Any) -> Settings:
    """given: settings by their names; None for one that is not given. hooks: beside those of the settings.
    folder: for what would be kept, unless the user has named a folder for it.

    Raises InvalidArgument naming the setting.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    try:
        with as_invalid_arguments():  # a configuration file may be unusable, too
            settings = settings_of_this_user(**chosen)
            if hooks:
                chosen["hooks"] = ",".join(filter(None, [settings.hooks, *hooks]))
                settings = settings_of_this_user(**chosen)
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, p['loc']))}={p['input']!r}: {p['msg']}" for p in error.errors())
        raise InvalidArgument("; ".join(problems)) from error
    if "," in settings.device:
        raise InvalidArgument(f"device={settings.device!r} names several; this takes one, make one for each")
    # Only the library's own files are read, so a list of allowed formats does not count. The engine's log
    # would disturb the program's own output.
    own: dict[str, Any] = {"formats": Settings.model_fields["formats"].default}
    if "log_level" not in settings.model_fields_set:
        own["log_level"] = "error"
    if "data_dir" not in settings.model_fields_set:
        own["data_dir"] = folder
    return settings.model_copy(update=own)
