"""`pixelmend models`: list, download, verify and remove model files. Arguments and what is printed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.table import Column, Table

from pixelmend.commands.model_files import remove, size_bytes_of, state_of, verify
from pixelmend.config import Settings
from pixelmend.errors import InvalidParameter, PixelmendError
from pixelmend.models.catalog import Catalog, load_catalog
from pixelmend.models.remote import downloadable, plan_downloads

Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="Ids, as `list` shows them.")]
SomeIds = Annotated[list[str], typer.Argument(metavar="ID", help="Ids, as `list` shows them.")]


def models_app(
    read_settings: Callable[[], Settings], read_catalog: Callable[[Path], Catalog] = load_catalog
) -> typer.Typer:
    """The sub-commands: they exit with 1 where a file failed, with 2 where the arguments make no sense."""
    app = typer.Typer(help="The models there are, and their files.", no_args_is_help=True)

    @app.command("list")
    def show() -> None:
        """Show every model: those that ship, those to download, and the files dropped in."""
        Console().print(_table(read_catalog(read_settings().models_dir)))

    @app.command("download")
    def fetch(
        ids: Ids = None,
        everything: Annotated[bool, typer.Option("--all", help="Every model there is to download.")] = False,
    ) -> None:
        """Fetch model files; what a broken connection leaves is completed the next time."""
        from pixelmend.commands.model_downloads import run_downloads

        settings = read_settings()
        catalog = read_catalog(settings.models_dir)
        with _refusals():
            wanted = _wanted(catalog, ids or [], everything)
            files = plan_downloads(catalog, wanted, settings.model_mirror)
        try:
            status = run_downloads(files, Console())
        except KeyboardInterrupt:
            _print("stopped; what has arrived is kept, and completed the next time")
            raise
        raise typer.Exit(status)

    @app.command("verify")
    def check(ids: Ids = None) -> None:
        """Compare model files with their checksums: these, or all that are here."""
        settings = read_settings()
        wrong = 0
        with _refusals():
            for verdict in verify(read_catalog(settings.models_dir), ids or []):
                vouched = "checksum right" if verdict.entry.sha256 else "no checksum known"
                _print(f"{verdict.entry.id}: {verdict.problem or f'{vouched}, sha256 {verdict.sha256}'}")
                wrong += verdict.problem is not None
        raise typer.Exit(1 if wrong else 0)

    @app.command("remove")
    def discard(ids: SomeIds) -> None:
        """Remove files that were downloaded or dropped in."""
        settings = read_settings()
        failed = 0
        for model_id in ids:
            try:
                removed = remove(read_catalog(settings.models_dir), model_id)
            except PixelmendError as error:
                failed += 1
                typer.echo(error.message, err=True)
            except OSError as error:
                failed += 1
                typer.echo(f"{error.filename} cannot be removed: {error.strerror}", err=True)
            else:
                _print(f"{model_id}: removed {', '.join(removed)}")
        raise typer.Exit(1 if failed else 0)

    return app


def _wanted(catalog: Catalog, ids: list[str], everything: bool) -> list[str]:
    if bool(ids) == everything:
        known = ", ".join(entry.id for entry in downloadable(catalog))
        raise InvalidParameter(f"name the models to download, or --all; there are: {known}")
    # One that lies there in another container is none of the catalog's files.
    return ids or [entry.id for entry in downloadable(catalog) if entry.sha256 is not None]


def _table(catalog: Catalog) -> Table:
    table = Table(Column("id", no_wrap=True), "task", "scale", "size", "licence", "state", box=None)
    for entry in catalog.entries:
        size_bytes = size_bytes_of(entry)
        table.add_row(
            entry.id,
            entry.task,
            f"x{entry.scale}" if entry.scale and entry.task == "upscale" else "-",
            "-" if size_bytes is None else decimal(size_bytes),
            entry.licence or "-",
            state_of(entry),
        )
    return table


@contextmanager
def _refusals() -> Iterator[None]:
    """What cannot be done as it was asked for ends the command."""
    try:
        yield
    except PixelmendError as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(2) from error


def _print(line: str) -> None:
    """Paths and ids are no markup, and are not broken into lines."""
    Console().print(line, markup=False, highlight=False, soft_wrap=True)
