"""Where a user's files lie if no setting says so."""

import os
from pathlib import Path

from pixelmend.core.errors import InvalidParameter

_CHECKOUT = Path(__file__).parents[3]


def config_folder() -> Path | None:
    """The user's own folder for configuration. None for a user without a home, as containers may have."""
    folder = _own_folder("XDG_CONFIG_HOME", ".config")
    return None if folder is None else folder / "pixelmend"


def data_folder(name: str, checkout: Path = _CHECKOUT) -> Path:
    """`name` in the checkout that this code runs from; without one, in the user's own folder for data.

    It does not depend on the working directory: what was downloaded in one is there in another. Raises
    InvalidParameter for a user without a home.
    """
    if (checkout / "download_models.py").is_file():
        return checkout / name
    folder = _own_folder("XDG_DATA_HOME", ".local/share")
    if folder is None:
        variable = f"PIXELMEND_{name.upper()}_DIR"
        raise InvalidParameter(f"this user has no home directory: set HOME, or {variable} to a folder")
    return folder / "pixelmend" / name


def _own_folder(variable: str, usual: str) -> Path | None:
    named = os.environ.get(variable)
    try:
        return Path(named) if named else Path.home() / usual
    except RuntimeError:  # no HOME, and no entry of this user in the system's list
        return None
