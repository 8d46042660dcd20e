"""Settings as environment variables, of the process or of a file."""

import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pixelmend.core.errors import InvalidParameter

PREFIX = "PIXELMEND_"


def read_environment(
    names: Collection[str], structured: Collection[str], file: Path | None
) -> dict[str, Any]:
    """The settings `names` by their names; the process's variables count more than the file's.

    The case of variables does not count. structured: those whose values are JSON. file: may be absent. Raises
    InvalidParameter for a value that is not JSON, without the value, which may be a secret.
    """
    found: dict[str, Any] = {}
    for variables in (_variables_of(file), os.environ):
        told = {name.upper(): value for name, value in variables.items() if value is not None}
        found |= {name: told[key] for name in names if (key := PREFIX + name.upper()) in told}
    for name in found.keys() & set(structured):
        try:
            found[name] = json.loads(found[name])
        except ValueError as error:
            raise InvalidParameter(f"{PREFIX}{name.upper()} is not JSON: {error}") from error
    return found


def _variables_of(file: Path | None) -> Mapping[str, str | None]:
    if file is None or not file.is_file():
        return {}
    from dotenv import dotenv_values  # few have such a file

    return dotenv_values(file, encoding="utf-8")
