"""Where commands print: what they say is text, and brackets in it are no markup of rich's."""

from rich.console import Console
from rich.progress import TextColumn


def terminal(*, stderr: bool = False) -> Console:
    return Console(markup=False, highlight=False, stderr=stderr)


def name_column() -> TextColumn:
    """The column of a progress bar that names the file."""
    return TextColumn("{task.description}", markup=False)
