"""The commands that do not follow from a task: their arguments and what they print."""

import json
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from pixelmend.cli.settings import fail, settings_from
from pixelmend.core.errors import PixelmendError
from pixelmend.core.telemetry import Logger, configure_logging
from pixelmend.core.text import printable
from pixelmend.core.version import VERSION
from pixelmend.core.working_directory import unused_here

app = typer.Typer(rich_markup_mode=None, add_completion=False)

DeviceOption = Annotated[
    str | None,
    typer.Option(help="auto, cpu, mps, cuda, cuda:N, vulkan, vulkan:N, openvino:gpu or openvino:gpu.N."),
]


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    device: DeviceOption = None,
    cluster: Annotated[str | None, typer.Option(help="HOST:PORT of a Ray cluster's head, or local.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
) -> None:
    """Run the service until SIGTERM or Ctrl-C."""
    # Until the server has its own: the first process of a container would not hear of it at all.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(0))
    from pixelmend.api.server import serve as run_server
    from pixelmend.api.service import build_service

    settings = settings_from(host=host, port=port, device=device, cluster=cluster, log_level=log_level)
    sink = configure_logging(settings.log_level, settings.log_format)
    for name, variable in unused_here(settings).items():
        event = "what lies in the working directory is not used"
        Logger(process="api").warning(event, name=name, hint=f"{variable}={name} names it")
    try:
        run_server(build_service(settings, Logger(process="api"), lambda: sink.dropped))
    except PixelmendError as error:
        fail(error.message, status=2)


@app.command()
def watch(
    folder: Annotated[Path, typer.Argument(metavar="IN", help="Folder to watch, with those below it.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the results.")],
    scale: Annotated[float | None, typer.Option(help="Factor from 1 to 8; default: the model's.")] = None,
    model: Annotated[str | None, typer.Option(help="A model id.")] = None,
    output_format: Annotated[str | None, typer.Option("--format", help="Default: png.")] = None,
    recipe: Annotated[str | None, typer.Option(help="A named set of options of config.yaml.")] = None,
    quality: Annotated[int | None, typer.Option(min=1, max=100, help="For JPEG, WebP and AVIF.")] = None,
    interval: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")] = 2.0,
    once: Annotated[bool, typer.Option(help="Do what is there, then end.")] = False,
    device: DeviceOption = None,
) -> None:
    """Upscale what is put into a folder, once it has stopped growing; what is done is remembered."""
    from pixelmend.cli.films import by_kind
    from pixelmend.cli.request import Request, with_recipe
    from pixelmend.cli.watch import run_watch
    from pixelmend.imaging.formats import format_registry
    from pixelmend.tasks.upscale import UpscaleTask

    settings = settings_from(device=device)
    configure_logging("error", settings.log_format)
    quiet = settings.model_copy(update={"log_level": "error"})
    try:
        given = {"scale": scale, "model": model, "quality": quality}
        given |= {"format": output_format, "recipe": recipe}
        fields = with_recipe(given, UpscaleTask(), settings)
        written = format_registry().output(fields.get("format") or "png")
        images = Request.here(UpscaleTask(), fields, written, settings)
        request_of = by_kind(images, {"scale": scale, "model": model}, settings)
        status = run_watch(folder, out, request_of, quiet, interval_s=interval, once=once)
    except PixelmendError as error:
        fail(error.message, status=2)
    raise typer.Exit(status)


@app.command()
def mcp(
    root: Annotated[
        list[Path] | None,
        typer.Option(help="A folder whose files may be read and written; default: this one."),
    ] = None,
    server: Annotated[str, typer.Option(help="URL of the Pixelmend service.")] = "http://127.0.0.1:8000",
    key: Annotated[
        str | None, typer.Option(envvar="PIXELMEND_API_KEY", help="The service's API key.")
    ] = None,
    http_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Serve streamable HTTP on 127.0.0.1, not stdio.")
    ] = None,
) -> None:
    """Offer a service's work as tools of the Model Context Protocol, by stdio or streamable HTTP."""
    try:
        from pixelmend.cli.mcp_server import Roots, serve_mcp

        serve_mcp(server, key, Roots.of(root or [Path.cwd()]), http_port)
    except ImportError:
        fail("the Model Context Protocol needs the extra [mcp]: pip install 'pixelmend[mcp]'", status=2)
    except PixelmendError as error:
        fail(error.message, status=2)


@app.command()
def check(device: DeviceOption = None) -> None:
    """Look at the environment, the device and the models, and run a tiny self-test."""
    from pixelmend.cli.check import check as run_check
    from pixelmend.cli.terminal import terminal

    settings = settings_from(device=device)
    configure_logging("error", settings.log_format)
    console = terminal()
    findings = run_check(settings.model_copy(update={"log_level": "error"}))
    for finding in findings:
        mark, style = {True: ("ok  ", "green"), False: ("bad ", "red"), None: ("    ", "")}[finding.ok]
        console.print(mark, style=style, end=" ")
        console.print(finding.what, soft_wrap=True)
        if not finding.ok and finding.fix:
            console.print(f"     -> {finding.fix}", soft_wrap=True)
    raise typer.Exit(1 if any(finding.ok is False for finding in findings) else 0)


@app.command()
def gpu(
    as_json: Annotated[bool, typer.Option("--json", help="Print values for programs.")] = False,
) -> None:
    """Show devices, memory, utilisation, temperature, and what a running service does with them."""
    from pixelmend.cli import gpu as devices
    from pixelmend.cli.running import RunningService
    from pixelmend.cli.terminal import terminal

    service = RunningService(settings_from())
    try:
        if as_json:
            typer.echo(json.dumps(devices.as_json(service), indent=1))
        else:
            devices.show_devices(service, terminal())
    except PixelmendError as error:
        fail(error.message, status=1)


@app.command()
def bench(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="An image; its middle is computed.")],
    sizes: Annotated[str, typer.Option(help="Sides of the squares, in px.")] = "256,512,1024",
    model: Annotated[str | None, typer.Option(help="A model id.")] = None,
    repeat: Annotated[int, typer.Option(min=1, max=1000, help="Warm runs, of which the median counts.")] = 5,
    device: Annotated[
        list[str] | None,
        typer.Option(help="May be repeated; default: the GPU, if any, and the CPU."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print values for programs.")] = False,
) -> None:
    """Measure how fast this machine upscales: CPU against GPU, cold and warm, nothing cached."""
    from pixelmend.cli import bench as benchmark
    from pixelmend.cli.terminal import terminal

    settings = settings_from()
    for named in device or ():
        settings_from(device=named)  # which may be none
    configure_logging("error", settings.log_format)
    measured = {"default_model": model or settings.default_model, "log_level": "error"}
    chosen = settings.model_copy(update=measured)
    console = terminal(stderr=as_json)
    try:
        plan = benchmark.Plan(image, benchmark.parse_sizes(sizes), tuple(device or ()), repeat)
        rows = benchmark.bench(plan, chosen, console)
    except (PixelmendError, OSError) as error:
        fail(error.message if isinstance(error, PixelmendError) else str(error), status=2)
    if as_json:
        typer.echo(json.dumps(benchmark.as_json(plan, chosen, rows), indent=1))
    else:
        benchmark.show(rows, console)
    raise typer.Exit(1 if any(row.error for row in rows) else 0)


@app.command()
def replay(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A file that Pixelmend has made.")],
    source: Annotated[Path | None, typer.Option(help="The image that it was made of.")] = None,
    mask: Annotated[Path | None, typer.Option(help="Its mask, if something was removed.")] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Keep the new file.")] = None,
    device: DeviceOption = None,
) -> None:
    """Make a result again by the record that it carries: 0 if it is the same, 1 if not.

    Without --source the record is printed.
    """
    from pixelmend.cli.replay import read_record
    from pixelmend.cli.replay import replay as run_replay

    settings = settings_from(device=device)
    configure_logging("error", settings.log_format)
    try:
        if source is None:
            typer.echo(read_record(result, settings).to_json())
            return
        replayed = run_replay(result, source, mask, settings, Logger(process="cli"), out)
    except (PixelmendError, OSError) as error:
        fail(error.message if isinstance(error, PixelmendError) else str(error), status=2)
    typer.echo(f"{printable(str(result))}: {replayed.sentence()}")
    raise typer.Exit(0 if replayed.same_pixels else 1)


@app.command("version")
def show_version() -> None:
    """Print the version."""
    typer.echo(VERSION)
