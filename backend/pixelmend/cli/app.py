"""The `pixelmend` command: what there is, and from where each command is imported when it is run."""

from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

if TYPE_CHECKING:
    from pixelmend.cli.task_command import Given
    from pixelmend.tasks.task import Task

SUMMARIES = {
    "serve": "Run the service until SIGTERM or Ctrl-C.",
    "watch": "Upscale what is put into a folder, once it has stopped growing; what is done is remembered.",
    "mcp": "Offer a service's work as tools of the Model Context Protocol, by stdio or streamable HTTP.",
    "check": "Look at the environment, the device and the models, and run a tiny self-test.",
    "gpu": "Show devices, memory, utilisation, temperature, and what a running service does with them.",
    "bench": "Measure how fast this machine upscales: CPU against GPU, cold and warm, nothing cached.",
    "replay": "Make a result again by the record that it carries: 0 if it is the same, 1 if not.",
    "version": "Print the version.",
    "upscale": "Upscale images on this machine or by a service; a bad file does not stop the others.",
    "inpaint": "Remove what is under a mask; a bad file does not stop the others.",
    "upscale-video": "Upscale films on this machine or by a service; a bad file does not stop the others.",
    "models": "The models there are, and their files.",
}
"""All commands, and what `--help` tells of them without importing any; a test compares it with theirs."""


class _Commands(TyperGroup):
    # The types of its arguments are private to typer.
    def list_commands(self, ctx: Any) -> list[str]:
        return list(SUMMARIES)

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | None:
        """Its name and summary: enough to say whether there is such a command."""
        return TyperCommand(cmd_name, help=SUMMARIES[cmd_name]) if cmd_name in SUMMARIES else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed and load(str(name)), rest

    def invoke(self, ctx: Any) -> Any:
        """Raises typer.BadParameter, which names the value as well."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            if (given := _refused_value(error)) not in error.message:
                error.message = f"{given}: {error.message}"
            raise

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(SUMMARIES.items())


def _refused_value(error: typer.BadParameter) -> str:
    """As it was given, quoted; empty if it is not known."""
    from pydantic import ValidationError

    cause = error.__cause__
    return repr(cause.errors()[0]["input"]) if isinstance(cause, ValidationError) else ""


def load(name: str) -> Any:
    """The command itself, with what it needs."""
    from pixelmend.cli.commands import app as commands

    if name == "models":
        from pixelmend.cli.models import models_app
        from pixelmend.cli.settings import settings_from

        return get_command(models_app(settings_from))
    group: Any = get_command(commands)
    if name in group.commands:
        return group.commands[name]
    from pixelmend.cli.task_command import task_command
    from pixelmend.tasks.registry import task_registry

    task = task_registry().kind(name).task
    one = typer.Typer(rich_markup_mode=None, add_completion=False)
    one.command(task.name)(task_command(task, _run_task))
    return get_command(one)


def _run_task(task: "Task", given: "Given") -> None:
    """What runs it is imported only now: `--help` needs none of it."""
    from pixelmend.cli.task_run import run_task

    run_task(task, given)


app = typer.Typer(
    cls=_Commands,
    help="Self-hosted image upscaling and object removal.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def _all_commands() -> None:
    """Nothing is done before the command itself."""
