"""Where a user's files lie if no setting says so."""

import os
from pathlib import Path

_CHECKOUT = Path(__file__).parents[3]


def config_folder() -> Path:
    """The user's own folder for configuration."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "pixelmend"


def data_folder(name: str, checkout: Path = _CHECKOUT) -> Path:
    """`name` in the checkout that this code runs from; without one, in the user's own folder for data.

    It does not depend on the working directory: what was downloaded in one is there in another.
    """
    if (checkout / "download_models.py").is_file():
        return checkout / name
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "pixelmend" / name
