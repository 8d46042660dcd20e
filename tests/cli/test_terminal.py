"""Brackets in names and sentences are no markup."""

import pytest
from rich.progress import Progress
from rich.table import Table

from pixelmend.cli.terminal import name_column, terminal

NAMES = ["[red]a.png", "pixelmend[torch,onnx]", "a[/]"]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_printed_is_what_was_meant(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("id", box=None)
    table.add_row(name)
    terminal().print(name)
    terminal().print(table)
    assert [line.strip() for line in capsys.readouterr().out.splitlines()] == [name, "id", name]


@pytest.mark.parametrize("name", NAMES)
def test_so_is_what_a_bar_is_about(name: str) -> None:
    progress = Progress(name_column(), console=terminal())
    bar = progress.add_task(name)
    assert name_column().render(progress.tasks[bar]).plain == name
