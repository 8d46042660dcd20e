"""A table of the drills that ran: what was injected, how often, and what was lost."""

from typing import Any

import pytest

COLUMNS = ("injected", "times", "lost")


class DrillTable:
    """A plugin; a drill that passes has shown that nothing was lost."""

    def __init__(self, kills: int) -> None:
        self._kills = kills
        self._rows: dict[str, tuple[str, str, str]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        report = yield
        mark = item.get_closest_marker("drill")
        if mark is not None and (report.when == "call" or report.failed):
            times = mark.kwargs["times"]
            lost = "0" if report.passed else report.outcome
            number = str(self._kills if times == "kills" else times)
            self._rows[item.nodeid] = (str(mark.args[0]), number, lost)
        return report

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        rows = [COLUMNS, *self._rows.values()]
        widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
        terminalreporter.section("drills")
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            terminalreporter.write_line("  ".join(cells).rstrip())
