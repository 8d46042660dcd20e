"""`pixelmend upscale`: files and folders, with a progress bar by tiles."""

import asyncio
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from pixelmend.commands.files import FileJob
from pixelmend.commands.local import Outcome, local_engine, upscale_files
from pixelmend.config import Settings
from pixelmend.tasks import UpscaleOptions
from pixelmend.telemetry import Logger


def run_upscale(
    files: Sequence[FileJob], options: UpscaleOptions, settings: Settings, *, force: bool, console: Console
) -> int:
    """Returns the exit status: 0 when every file has a result, 1 when any has none.

    Raises NoWorker when no worker starts.
    """
    todo = [file for file in files if force or not file.is_done]
    if len(todo) < len(files):
        console.print(f"{len(files) - len(todo)} already done, skipped (--force does them again)")
    outcomes = asyncio.run(_run(todo, options, settings, console)) if todo else []
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    if failed:
        console.print(f"[red]{len(failed)} of {len(files)} files failed:[/red]")
        for outcome in failed:
            assert outcome.error is not None
            line = f"  {outcome.job.source}: {outcome.error.message}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    return 1 if failed else 0


async def _run(
    files: Sequence[FileJob], options: UpscaleOptions, settings: Settings, console: Console
) -> list[Outcome]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("tiles"),
        TimeRemainingColumn(),
    )
    async with local_engine(settings, Logger(process="cli")) as engine:
        with console.status("starting the engine"):
            status = await engine.wait_until_ready()
        assert status.device is not None
        console.print(f"{options.model} on {status.device.name} ({status.device.type})", highlight=False)
        with Progress(*columns, console=console) as progress:
            bars: dict[FileJob, TaskID] = {}

            def on_start(file: FileJob) -> Callable[[int, int], None]:
                bar = bars[file] = progress.add_task(file.source.name, total=None)
                return lambda done, total: progress.update(bar, completed=done, total=total or None)

            def on_end(outcome: Outcome) -> None:
                progress.remove_task(bars.pop(outcome.job))
                console.print(outcome_line(outcome), markup=False, highlight=False, soft_wrap=True)

            return await upscale_files(engine, files, options, settings.worker_jobs, on_start, on_end)


def outcome_line(outcome: Outcome) -> str:
    """How a file ended, for the terminal."""
    if outcome.report is None:
        reason = outcome.error.title if outcome.error else "no result"
        return f"{outcome.job.source}: {reason}"
    report = outcome.report
    extra = f"; not kept: {', '.join(report.not_kept)}" if report.not_kept else ""
    extra += f"; {'; '.join(report.notes)}" if report.notes else ""
    return (
        f"{outcome.job.result}: {report.width_px}x{report.height_px}, {report.tiles} tiles, "
        f"{report.total_s:.2f} s in {report.precision}{extra}"
    )
