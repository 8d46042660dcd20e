"""Rows of the result tables: printed, and kept as JSON."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.machine import Machine

Details = dict[str, Any]
"""Values that JSON has."""

_PATH = re.compile(r"(?<![\w.:/])/(?:[\w.+-]+/)+[\w.+-]*")


@dataclass(frozen=True, slots=True)
class Target:
    """at_least: whether the value has to reach the limit, or must not exceed it."""

    limit: float
    unit: str
    at_least: bool

    def met_by(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {formatted(self.limit, self.unit)}"


def at_least(limit: float, unit: str = "x") -> Target:
    """A value that has to be reached."""
    return Target(limit, unit, at_least=True)


def at_most(limit: float, unit: str = "x") -> Target:
    """A value that must not be exceeded."""
    return Target(limit, unit, at_least=False)


@dataclass(frozen=True, slots=True)
class Row:
    """One measured value. `target` None: for information. `value` None: there was nothing to measure,
    and `note` says why.
    """

    name: str
    value: float | None
    unit: str = "x"
    target: Target | None = None
    note: str = ""
    details: Details = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        """None if there is no target or no value."""
        if self.target is None or self.value is None:
            return None
        return self.target.met_by(self.value)


def formatted(value: float, unit: str) -> str:
    """Three digits and the unit."""
    digits = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{digits}{unit}" if unit == "x" else f"{digits} {unit}"


def print_rows(console: Console, title: str, rows: Sequence[Row]) -> None:
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("row", overflow="fold")
    table.add_column("target", no_wrap=True)
    table.add_column("measured", no_wrap=True, justify="right")
    table.add_column("met")
    table.add_column("", overflow="fold")
    for row in rows:
        table.add_row(
            row.name,
            str(row.target) if row.target else "",
            "-" if row.value is None else formatted(row.value, row.unit),
            {True: "[green]yes[/green]", False: "[red]no[/red]", None: ""}[row.met],
            row.note.replace("[", "\\["),
        )
    console.print(table)


def write_results(
    folder: Path, name: str, machine: Machine, rows: Sequence[Row], *, quick: bool, seconds: float
) -> None:
    """`folder`/`name`.json, with no path, host or user in it."""
    folder.mkdir(parents=True, exist_ok=True)
    result = {
        "name": name,
        "machine": asdict(machine),
        "quick": quick,
        "seconds": round(seconds, 1),
        "rows": [row_as_json(row) for row in rows],
    }
    text = json.dumps(result, indent=2, ensure_ascii=False)
    (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def row_as_json(row: Row) -> Details:
    return {
        "name": row.name,
        "target": str(row.target) if row.target else None,
        "measured": _rounded(row.value),
        "unit": row.unit,
        "met": row.met,
        "note": without_paths(row.note),
        "details": _rounded(row.details),
    }


def without_paths(text: str) -> str:
    """`text` with every absolute path reduced to its last part."""
    return _PATH.sub(lambda found: ".../" + found[0].rstrip("/").rsplit("/", 1)[1], text)


def _rounded(value: Any) -> Any:
    """Four digits of every number, and no path in any text."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, str):
        return without_paths(value)
    if isinstance(value, Mapping):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return value
