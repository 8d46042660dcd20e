"""A request's form: text fields first, so that a service knows the task before the file arrives."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from pixelmend.core.text import printable

File = str | Path | bytes
"""A path, or the bytes themselves."""
Part = tuple[str, tuple[str | None, str | bytes | IO[bytes]]]


def text_fields(fields: Mapping[str, object]) -> dict[str, str]:
    """As forms have them: None is left out, True is `true`."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in fields.items()
        if value is not None
    }


def parts(fields: Mapping[str, object], files: Mapping[str, Sequence[File]], opened: ExitStack) -> list[Part]:
    """A multipart form's parts. opened: closes the files. Raises OSError."""
    text: list[Part] = [(name, (None, value)) for name, value in text_fields(fields).items()]
    return text + [(name, _file(file, opened)) for name, several in files.items() for file in several]


def _file(file: File, opened: ExitStack) -> tuple[str, bytes | IO[bytes]]:
    if isinstance(file, bytes):
        return "image", file
    path = Path(file)
    return printable(path.name), opened.enter_context(path.open("rb"))
