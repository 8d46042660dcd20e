"""`pixelmend models download`: several files at a time, with a bar for each."""

from collections.abc import Sequence
from contextlib import closing
from threading import Event

from rich.console import Console
from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from pixelmend.cli.terminal import name_column
from pixelmend.models.download import OnProgress, RetryPolicy
from pixelmend.models.fetching import Fetched, fetch_all
from pixelmend.models.remote import RemoteFile
from pixelmend.models.transfer import new_client


def run_downloads(files: Sequence[RemoteFile], console: Console) -> int:
    """Returns the exit status: 0 when every file is there, 1 when any is not.

    The sizes are said first, since some of the files take long.
    """
    for file in files:
        _print(console, f"{file.path.name}: {decimal(file.size_bytes)}")
    _print(console, f"{len(files)} files, {decimal(sum(file.size_bytes for file in files))}")
    columns = (
        name_column(),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    failed: list[Fetched] = []
    bars: dict[RemoteFile, TaskID] = {}
    with (
        new_client() as client,
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress,
    ):

        def on_start(file: RemoteFile) -> OnProgress:
            bar = bars[file] = progress.add_task(file.path.name, total=file.size_bytes)
            return lambda done_bytes, total_bytes: progress.update(
                bar, completed=done_bytes, total=total_bytes
            )

        fetching = fetch_all(files, client, on_start=on_start, cancelled=Event(), retries=RetryPolicy())
        with closing(fetching):
            for ended in fetching:
                progress.remove_task(bars.pop(ended.file))
                _print(console, outcome_line(ended))
                if ended.error is not None:
                    failed.append(ended)
    if failed:
        console.print(f"{len(failed)} of {len(files)} files failed:", style="red")
        for ended in failed:
            assert ended.error is not None
            _print(console, f"  {ended.error.message}")
    return 1 if failed else 0


def outcome_line(ended: Fetched) -> str:
    if ended.error is not None:
        return f"{ended.file.path.name}: {ended.error.title}"
    if ended.converted is not None:
        assert ended.file.package is not None, "what was converted comes from a package"
        made = f"made of {ended.file.package.name} {ended.file.package.version}, checksum right"
        return f"{ended.file.converted_path}: {made}"
    return f"{ended.file.path}: {'downloaded, checksum right' if ended.fresh else 'there already'}"


def _print(console: Console, line: str) -> None:
    console.print(line, soft_wrap=True)
