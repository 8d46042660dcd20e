"""A task's command at work: what was given becomes a plan, which is run."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import typer

from pixelmend.cli.files import Plan, chosen_format, file_kind, plan_files, with_masks
from pixelmend.cli.films import split
from pixelmend.cli.request import Request, with_recipe, with_recipe_of
from pixelmend.cli.run import Server, run_files
from pixelmend.cli.search import passed_over_line
from pixelmend.cli.settings import fail, settings_from
from pixelmend.cli.streams import Streams, standard_streams
from pixelmend.cli.task_command import Given
from pixelmend.core.errors import PixelmendError
from pixelmend.core.telemetry import configure_logging
from pixelmend.tasks.task import Task


def run_task(task: Task, given: Given) -> None:
    """Exits with 1 if a file failed, with 2 if the arguments make no sense."""
    try:
        with standard_streams(given) as streams:
            parts = split(task, streams.given)
            statuses = [_run_part(own_task, own, streams) for own_task, own in parts]
    except PixelmendError as error:
        fail(error.message, status=2)
    raise typer.Exit(max(statuses))


def _run_part(task: Task, given: Given, streams: Streams) -> int:
    settings = settings_from(device=given.device)
    configure_logging("error", settings.log_format)
    if not given.server:
        given = replace(given, fields=with_recipe(given.fields, task, settings))
    elif given.fields.get("recipe"):
        from pixelmend.client import Client

        with Client(given.server, given.key) as client:
            given = replace(given, fields=with_recipe_of(client.info(), given.fields, task))
    kind = file_kind(task)
    written = chosen_format(given.inputs, given.out, given.fields.get("format"), kind)
    if given.server:
        request = Request.elsewhere(task, given.fields, written)
    else:
        request = Request.here(task, given.fields, written, settings)
    plan = plan_files(given.inputs, given.out, written, mark=task.file_mark, kind=kind)
    if not plan.jobs:
        _fail_without_images(given.inputs, plan)
    if given.mask is not None:
        plan = replace(plan, jobs=tuple(with_masks(plan.jobs, given.inputs[0], given.mask)))
    # The worker's own log lines would tear the progress bar; what matters is in the outcome.
    quiet = settings.model_copy(update={"log_level": "error"})
    server = Server(given.server, given.key, given.parallel) if given.server else None
    plan = streams.named(plan)
    status = run_files(plan, request, quiet, server=server, force=given.force, console=streams.console)
    if status == 0:
        streams.deliver(plan, sys.stdout.buffer)
    return status


def _fail_without_images(inputs: list[Path], plan: Plan) -> NoReturn:
    passed = passed_over_line(plan.passed_over)
    places = ", ".join(str(path) for path in inputs)
    fail(f"there are no images in {places}" + (f"; {passed}" if passed else ""), status=2)
