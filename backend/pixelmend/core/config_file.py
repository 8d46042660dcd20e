"""The optional config.yaml: settings that the environment and `.env` do not name."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pixelmend.core.errors import InvalidParameter
from pixelmend.core.own_folders import config_folder

SECTIONS = ("gpu", "profiles", "recipes")

CONFIG_VARIABLE = "PIXELMEND_CONFIG"
"""The configuration file; unset: config.yaml in the user's own folder, if it is there; empty: none."""
ENV_FILE_VARIABLE = "PIXELMEND_ENV_FILE"
"""The same for a file of environment variables, by itself pixelmend.env in that folder."""


def read_config(path: Path, gpu_settings: Collection[str]) -> dict[str, Any]:
    """The file's settings by their names; its values are not checked here.

    gpu_settings: the names that section `gpu` may hold. Raises InvalidParameter naming the file and what is
    wrong with it: not YAML, not readable, or an unknown key.
    """
    found = _section(path, None, _parsed(path), SECTIONS)
    settings = dict(_section(path, "gpu", found.get("gpu"), gpu_settings))
    for name in ("profiles", "recipes"):
        if found.get(name) is not None:
            settings[name] = found[name]
    return settings


def _section(path: Path, name: str | None, found: object, known: Collection[str]) -> Mapping[str, Any]:
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InvalidParameter(f"{path}: {name or 'the file'} is not a mapping of names to values")
    for key in found:
        if key not in known:
            full = f"{name}.{key}" if name else str(key)
            raise InvalidParameter(f"{path}: {full} is not known; there are: {', '.join(sorted(known))}")
    return found


def _parsed(path: Path) -> object:
    try:
        import yaml  # here, since few have such a file

        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except ImportError as error:
        raise InvalidParameter(f"{path}: cannot be read without the package pyyaml") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidParameter(f"{path}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise InvalidParameter(f"{path}: is not YAML: {' '.join(str(error).split())}") from error


def file_of_this_user(variable: str, name: str) -> Path | None:
    """The file that the variable names, else `name` in the user's own folder; None if there is none.

    Raises InvalidParameter for a file that was named and is not there.
    """
    named = os.environ.get(variable)
    if named is not None:
        if named and not Path(named).is_file():
            raise InvalidParameter(f"{named}: cannot be read: there is no such file; {variable} names it")
        return Path(named) if named else None
    folder = config_folder()
    return folder / name if folder is not None and (folder / name).is_file() else None
