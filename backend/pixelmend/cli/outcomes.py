"""How a file ended, whether it was processed here or by a service."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pixelmend.cli.files import FileJob
from pixelmend.cli.request import Request
from pixelmend.core.error_codes import FULL_DISK, known_error
from pixelmend.core.errors import PixelmendError
from pixelmend.core.telemetry import Logger
from pixelmend.core.text import printable


class Made(Protocol):
    """What is told of a result; an engine's report has it all."""

    @property
    def width_px(self) -> int: ...

    @property
    def height_px(self) -> int: ...

    @property
    def tiles(self) -> int: ...

    @property
    def total_s(self) -> float: ...

    @property
    def precision(self) -> str: ...

    @property
    def not_kept(self) -> Sequence[str]: ...

    @property
    def notes(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """With a report, or with an error."""

    job: FileJob
    report: Made | None
    error: PixelmendError | None


class Engine(Protocol):
    """Processes files, here or by a service."""

    async def process(
        self, file: FileJob, request: Request, on_progress: Callable[[int, int], None]
    ) -> Outcome:
        """One file, start to end. Never raises for what is wrong with the file: that is an outcome."""
        ...


def failed(job: FileJob, error: Exception) -> Outcome:
    """Whatever it was, it is the end of this file and of no other."""
    if isinstance(error, OSError) and error.strerror and error.errno not in FULL_DISK:
        return Outcome(job, None, PixelmendError(f"{error.filename or job.source}: {error.strerror}"))
    known = known_error(error)
    if known is not error:
        Logger().error("a bug failed a file", source=printable(str(job.source)), exc_info=error)
    return Outcome(job, None, known)


def failure_line(outcome: Outcome) -> str:
    """For the terminal."""
    reason = outcome.error.message if outcome.error else "no result"
    return printable(f"{outcome.job.source_name or outcome.job.source}: {reason}")


def outcome_line(outcome: Outcome) -> str:
    """For the terminal."""
    if outcome.report is None:
        return failure_line(outcome)
    report = outcome.report
    extra = f"; not kept: {', '.join(report.not_kept)}" if report.not_kept else ""
    extra += f"; {'; '.join(report.notes)}" if report.notes else ""
    result = outcome.job.result_name or outcome.job.result
    return printable(
        f"{result}: {report.width_px}x{report.height_px}, {report.tiles} tiles, "
        f"{report.total_s:.2f} s in {report.precision}{extra}"
    )
