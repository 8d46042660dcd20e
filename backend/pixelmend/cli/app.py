"""The `pixelmend` command."""

import signal
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console

from pixelmend.cli.models import models_app
from pixelmend.core.config import (
    CONFIG_VARIABLE,
    ENV_FILE_VARIABLE,
    Settings,
    settings_of_this_user,
    unread_files,
)
from pixelmend.core.errors import PixelmendError, printable
from pixelmend.core.telemetry import Logger, configure_logging
from pixelmend.imaging.formats import OutputFormat
from pixelmend.imaging.mask import MaskPolarity
from pixelmend.imaging.target import Target
from pixelmend.tasks.image import (
    DEFAULT_FEATHER_PX,
    DEFAULT_GROW_PX,
    MAX_GROW_PX,
    ImageOptions,
    InpaintOptions,
)

if TYPE_CHECKING:
    from pixelmend.cli.files import Plan

app = typer.Typer(
    help="Self-hosted image upscaling and object removal.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

FORMAT_HELP = "Output format; default: that of the file -o names, else png."
OUT_HELP = "Folder for the results; for a single image it may be a file, such as out.png."
DeviceOption = Annotated[str | None, typer.Option(help="auto, cpu, mps, cuda or cuda:N.")]


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    device: DeviceOption = None,
) -> None:
    """Run the service until SIGTERM or Ctrl-C."""
    # Until the server has its own: the first process of a container would not hear of it at all.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(0))
    from pixelmend.api.server import serve as run_server
    from pixelmend.api.service import build_service

    settings = _settings(host=host, port=port, device=device)
    sink = configure_logging(settings.log_level, settings.log_format)
    for name in unread_files():
        hint = f"{ENV_FILE_VARIABLE if name == '.env' else CONFIG_VARIABLE}={name} names it"
        Logger(process="api").warning("a file in the working directory is not read", file=name, hint=hint)
    try:
        service = build_service(settings, Logger(process="api"), lambda: sink.dropped)
    except PixelmendError as error:
        _fail(error.message, status=2)
    run_server(service)


@app.command()
def upscale(
    inputs: Annotated[list[Path], typer.Argument(metavar="IN...", help="Images, or folders of them.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help=OUT_HELP)] = None,
    scale: Annotated[float | None, typer.Option(help="Factor from 1 to 8; default: the model's.")] = None,
    width: Annotated[int | None, typer.Option(min=1, help="Exact width in pixels.")] = None,
    height: Annotated[int | None, typer.Option(min=1, help="Exact height in pixels.")] = None,
    model: Annotated[str | None, typer.Option(help="A model id.")] = None,
    output_format: Annotated[OutputFormat | None, typer.Option("--format", help=FORMAT_HELP)] = None,
    quality: Annotated[int | None, typer.Option(min=1, max=100, help="For JPEG, WebP and AVIF.")] = None,
    tile: Annotated[int | None, typer.Option(min=32, max=2048, help="Largest tile edge, input px.")] = None,
    denoise: Annotated[float | None, typer.Option(min=0, max=1, help="For models that have it.")] = None,
    first_frame: Annotated[bool, typer.Option(help="Take the first frame of animations.")] = False,
    force: Annotated[bool, typer.Option(help="Do again what is already done.")] = False,
    server: Annotated[str | None, typer.Option(help="URL of a Pixelmend service that does the work.")] = None,
    key: Annotated[
        str | None, typer.Option(envvar="PIXELMEND_API_KEY", help="The service's API key.", show_envvar=True)
    ] = None,
    parallel: Annotated[int, typer.Option(min=1, max=64, help="Files sent to the service at a time.")] = 4,
    device: DeviceOption = None,
) -> None:
    """Enlarge images on this machine or by a service; a bad file does not stop the others."""
    from pixelmend.cli.files import chosen_format, plan_files
    from pixelmend.cli.local import unnamed_model
    from pixelmend.cli.upscale import Server, run_upscale

    settings = _settings(device=device)
    configure_logging("error", settings.log_format)
    console = Console()
    try:
        written = chosen_format(inputs, out, output_format)
        options = ImageOptions(
            # A service has a default of its own.
            model=model or ("" if server else unnamed_model(settings, scale, denoise)),
            target=Target(scale, width, height),
            format=written,
            quality=quality,
            tile_px=tile,
            denoise=denoise,
            first_frame=first_frame,
        )
        plan = plan_files(inputs, out, written)
        if not plan.jobs:
            _fail_without_images(inputs, plan)
        # The worker's own log lines would tear the progress bar; what matters is in the outcome.
        quiet = settings.model_copy(update={"log_level": "error"})
        elsewhere = Server(server, key, parallel) if server else None
        status = run_upscale(plan, options, quiet, server=elsewhere, force=force, console=console)
    except PixelmendError as error:
        _fail(error.message, status=2)
    raise typer.Exit(status)


@app.command()
def inpaint(
    image: Annotated[Path, typer.Argument(help="An image, or a folder of them.")],
    mask: Annotated[
        Path,
        typer.Argument(
            help="What to remove, white or transparent; or a folder of such, of the same names as the images."
        ),
    ],
    out: Annotated[Path | None, typer.Option("-o", "--out", help=OUT_HELP)] = None,
    grow: Annotated[
        int, typer.Option(min=0, max=MAX_GROW_PX, help="Fill so far beyond the mask, px.")
    ] = DEFAULT_GROW_PX,
    feather: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=MAX_GROW_PX,
            help=f"Fade so much of that into the image, px; default {DEFAULT_FEATHER_PX}.",
        ),
    ] = None,
    mask_polarity: Annotated[
        MaskPolarity, typer.Option(help="What of the mask is removed; auto looks at it.")
    ] = MaskPolarity.AUTO,
    model: Annotated[str | None, typer.Option(help="A model id, for inpainting.")] = None,
    output_format: Annotated[OutputFormat | None, typer.Option("--format", help=FORMAT_HELP)] = None,
    quality: Annotated[int | None, typer.Option(min=1, max=100, help="For JPEG, WebP and AVIF.")] = None,
    first_frame: Annotated[bool, typer.Option(help="Take the first frame of animations.")] = False,
    then_upscale: Annotated[bool, typer.Option(help="Enlarge the result as well.")] = False,
    upscale_model: Annotated[str | None, typer.Option(help="A model id, with --then-upscale.")] = None,
    scale: Annotated[float | None, typer.Option(help="Factor, with --then-upscale.")] = None,
    force: Annotated[bool, typer.Option(help="Do again what is already done.")] = False,
    server: Annotated[str | None, typer.Option(help="URL of a Pixelmend service that does the work.")] = None,
    key: Annotated[
        str | None, typer.Option(envvar="PIXELMEND_API_KEY", help="The service's API key.", show_envvar=True)
    ] = None,
    parallel: Annotated[int, typer.Option(min=1, max=64, help="Files sent to the service at a time.")] = 4,
    device: DeviceOption = None,
) -> None:
    """Remove what is under a mask; a bad file does not stop the others."""
    from pixelmend.cli.files import INPAINTED, chosen_format, plan_files, with_masks
    from pixelmend.cli.local import unnamed_model
    from pixelmend.cli.upscale import Server, run_upscale

    settings = _settings(device=device)
    configure_logging("error", settings.log_format)
    try:
        if not then_upscale and (upscale_model is not None or scale is not None):
            _fail("--upscale-model and --scale belong to --then-upscale", status=2)
        written = chosen_format([image], out, output_format)
        filling = model or ("" if server else settings.default_inpaint_model)
        enlarging = upscale_model or ("" if server else unnamed_model(settings, scale))
        options = ImageOptions(
            model=enlarging if then_upscale else filling,
            target=Target(scale),
            format=written,
            quality=quality,
            first_frame=first_frame,
            inpaint=InpaintOptions.of(filling, grow, feather, mask_polarity),
            upscale=then_upscale,
        )
        plan = plan_files([image], out, written, mark=INPAINTED)
        if not plan.jobs:
            _fail_without_images([image], plan)
        plan = replace(plan, jobs=tuple(with_masks(plan.jobs, image, mask)))
        quiet = settings.model_copy(update={"log_level": "error"})
        elsewhere = Server(server, key, parallel) if server else None
        status = run_upscale(plan, options, quiet, server=elsewhere, force=force, console=Console())
    except PixelmendError as error:
        _fail(error.message, status=2)
    raise typer.Exit(status)


@app.command()
def watch(
    folder: Annotated[Path, typer.Argument(metavar="IN", help="Folder to watch, with those below it.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the results.")],
    scale: Annotated[float | None, typer.Option(help="Factor from 1 to 8; default: the model's.")] = None,
    model: Annotated[str | None, typer.Option(help="A model id.")] = None,
    output_format: Annotated[
        OutputFormat, typer.Option("--format", help="Output format.")
    ] = OutputFormat.PNG,
    quality: Annotated[int | None, typer.Option(min=1, max=100, help="For JPEG, WebP and AVIF.")] = None,
    interval: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")] = 2.0,
    once: Annotated[bool, typer.Option(help="Do what is there, then end.")] = False,
    device: DeviceOption = None,
) -> None:
    """Enlarge what is put into a folder, once it has stopped growing; what is done is remembered."""
    from pixelmend.cli.local import unnamed_model
    from pixelmend.cli.watch import run_watch

    settings = _settings(device=device)
    configure_logging("error", settings.log_format)
    quiet = settings.model_copy(update={"log_level": "error"})
    try:
        options = ImageOptions(
            model=model or unnamed_model(settings, scale),
            target=Target(scale),
            format=output_format,
            quality=quality,
        )
        status = run_watch(folder, out, options, quiet, interval_s=interval, once=once)
    except PixelmendError as error:
        _fail(error.message, status=2)
    raise typer.Exit(status)


@app.command()
def check(device: DeviceOption = None) -> None:
    """Look at the environment, the device and the models, and run a tiny self-test."""
    from pixelmend.cli.check import check as run_check

    settings = _settings(device=device)
    configure_logging("error", settings.log_format)
    console = Console()
    findings = run_check(settings.model_copy(update={"log_level": "error"}))
    for finding in findings:
        mark = {True: "[green]ok  [/green]", False: "[red]bad [/red]", None: "    "}[finding.ok]
        console.print(mark, end=" ")
        console.print(finding.what, markup=False, highlight=False, soft_wrap=True)
        if finding.ok is False and finding.mend:
            console.print(f"     -> {finding.mend}", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1 if any(finding.ok is False for finding in findings) else 0)


@app.command()
def gpu() -> None:
    """Show devices, memory, utilisation, temperature, and the models a running service has loaded."""
    from pixelmend.cli.gpu import show_devices
    from pixelmend.cli.running import RunningService

    try:
        show_devices(RunningService(_settings()), Console())
    except PixelmendError as error:
        _fail(error.message, status=1)


@app.command("version")
def show_version() -> None:
    """Print the version."""
    typer.echo(version("pixelmend"))


def _settings(**overrides: Any) -> Settings:
    """From the environment and the user's files, with what the command line says on top."""
    try:
        return settings_of_this_user(
            **{name: value for name, value in overrides.items() if value is not None}
        )
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, p['loc']))}={p['input']!r}: {p['msg']}" for p in error.errors()
        )
        _fail(f"a setting is wrong: {problems}", status=2)
    except PixelmendError as error:  # the configuration file
        _fail(f"a setting is wrong: {error.message}", status=2)


def _fail_without_images(inputs: list[Path], plan: "Plan") -> NoReturn:
    from pixelmend.cli.search import passed_over_line

    passed = passed_over_line(plan.passed_over)
    places = ", ".join(str(path) for path in inputs)
    _fail(f"there are no images in {places}" + (f"; {passed}" if passed else ""), status=2)


def _fail(message: str, *, status: int) -> NoReturn:
    typer.echo(printable(message), err=True)
    raise typer.Exit(status)


app.add_typer(models_app(_settings), name="models")

if __name__ == "__main__":
    app()
