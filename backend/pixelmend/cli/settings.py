"""The settings of a command, and its end if it cannot begin."""

from typing import Any, NoReturn

import typer
from pydantic import ValidationError

from pixelmend.core.config import Settings, settings_of_this_user
from pixelmend.core.errors import PixelmendError
from pixelmend.core.text import printable


def settings_from(**overrides: Any) -> Settings:
    """From the environment and the user's files, with what the command line says on top."""
    try:
        return settings_of_this_user(
            **{name: value for name, value in overrides.items() if value is not None}
        )
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, p['loc']))}={p['input']!r}: {p['msg']}" for p in error.errors()
        )
        fail(f"a setting is wrong: {problems}", status=2)
    except PixelmendError as error:  # the configuration file
        fail(f"a setting is wrong: {error.message}", status=2)


def fail(message: str, *, status: int) -> NoReturn:
    typer.echo(printable(message), err=True)
    raise typer.Exit(status)
