"""Runs a task on files and folders, with a progress bar by tiles."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from pixelmend.cli.done import DoneFiles
from pixelmend.cli.files import FileJob, Plan
from pixelmend.cli.local import local_engine
from pixelmend.cli.outcomes import Engine, Outcome, failed, failure_line, outcome_line
from pixelmend.cli.remote import remote_engine
from pixelmend.cli.request import Request
from pixelmend.cli.search import passed_over_line
from pixelmend.cli.terminal import name_column
from pixelmend.core.config import Settings
from pixelmend.core.telemetry import Logger
from pixelmend.core.text import printable
from pixelmend.tasks.options import ImageOptions


@dataclass(frozen=True, slots=True)
class Server:
    """A service elsewhere that does the work. parallel: files that are sent at a time."""

    url: str
    key: str | None
    parallel: int


def run_files(
    plan: Plan,
    request: Request,
    settings: Settings,
    *,
    server: Server | None,
    force: bool,
    console: Console,
) -> int:
    """Returns the exit status: 0 when every file has a result, 1 when any has none.

    A file is done already if its result was made of the same source with the same options.
    server: None computes here. Raises NoWorker when no worker starts, InvalidParameter when no service
    answers.
    """
    files, done = plan.jobs, DoneFiles(request.options)
    if passed_over := passed_over_line(plan.passed_over):
        console.print(passed_over, soft_wrap=True)
    todo = [file for file in files if force or not done.has(file)]
    if len(todo) < len(files):
        console.print(f"{len(files) - len(todo)} already done, skipped (--force does them again)")
    outcomes = asyncio.run(_run(todo, request, settings, server, console, done)) if todo else []
    without = [outcome for outcome in outcomes if outcome.error is not None]
    if without:
        console.print(f"{len(without)} of {len(files)} files failed:", style="red")
        for outcome in without:
            console.print(f"  {failure_line(outcome)}", soft_wrap=True)
    return 1 if without else 0


async def _run(
    files: Sequence[FileJob],
    request: Request,
    settings: Settings,
    server: Server | None,
    console: Console,
    done: DoneFiles,
) -> list[Outcome]:
    columns = (
        name_column(),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("frames" if request.task.takes_video else "tiles"),
        TimeRemainingColumn(),
    )
    opened = _here(request.options, settings, console) if server is None else _there(server, console)
    async with opened as engine:
        with Progress(*columns, console=console) as progress:
            bars: dict[FileJob, TaskID] = {}

            def on_start(file: FileJob) -> Callable[[int, int], None]:
                bar = bars[file] = progress.add_task(printable(file.source.name), total=None)
                return lambda done, total: progress.update(bar, completed=done, total=total or None)

            def on_end(outcome: Outcome) -> None:
                progress.remove_task(bars.pop(outcome.job))
                console.print(outcome_line(outcome), soft_wrap=True)

            parallel = settings.worker_jobs if server is None else server.parallel
            return await _process_files(engine, files, request, parallel, on_start, on_end, done)


@asynccontextmanager
async def _here(options: ImageOptions, settings: Settings, console: Console) -> AsyncIterator[Engine]:
    async with local_engine(settings, Logger(process="cli")) as engine:
        with console.status("starting the engine"):
            status = await engine.wait_until_ready()
        assert status.device is not None
        models = options.models
        device = f"{status.device.name} ({status.device.type})"
        console.print(f"{', then '.join(models)} on {device}")
        yield engine


@asynccontextmanager
async def _there(server: Server, console: Console) -> AsyncIterator[Engine]:
    async with remote_engine(server.url, server.key) as engine:
        console.print(f"at {engine.label}")
        yield engine


async def _process_files(
    engine: Engine,
    files: Sequence[FileJob],
    request: Request,
    parallel: int,
    on_start: Callable[[FileJob], Callable[[int, int], None]],
    on_end: Callable[[Outcome], None],
    done: DoneFiles,
) -> list[Outcome]:
    """All files, a few at a time, so that decoding, encoding and transfers overlap the device's work."""
    places = asyncio.Semaphore(parallel)

    async def one(file: FileJob) -> Outcome:
        async with places:
            tell = on_start(file)
            try:
                made_of = done.made_of(file)
                outcome = await engine.process(file, request, tell)
            except OSError as error:
                outcome = failed(file, error)
            if outcome.error is None:
                with suppress(OSError):  # it is then done again another time
                    done.add(file, made_of)
            on_end(outcome)
            return outcome

    return list(await asyncio.gather(*(one(file) for file in files)))
