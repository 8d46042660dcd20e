"""The command line imports what a command needs, and no more."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from pixelmend.cli.app import SUMMARIES, app, load
from pixelmend.tasks.registry import task_registry
from tests.engine.networks import ROOT

HEAVY = ("numpy", "httpx", "pydantic", "pydantic_settings", "rich", "yaml", "fastapi", "openvino", "torch")


def imported_by(*arguments: str) -> set[str]:
    """Which of the HEAVY modules a command imports."""
    script = (
        "import sys\nfrom pixelmend.cli.app import app\n"
        f"app({list(arguments)}, standalone_mode=False)\n"
        f"print('HEAVY', *(name for name in {HEAVY} if name in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )
    _, *found = done.stderr.splitlines()[-1].split()
    return set(found)


def in_one_line(text: str) -> str:
    return " ".join(text.split())


def test_help_imports_no_command() -> None:
    assert imported_by("--help") == set()


def test_a_command_imports_its_own() -> None:
    assert imported_by("version") == {"pydantic", "pydantic_settings"}
    # So that the test above can fail.
    assert {"httpx", "rich"} <= imported_by("models", "--help")


@pytest.mark.parametrize("name", SUMMARIES)
def test_the_list_tells_what_each_command_tells_of_itself(name: str) -> None:
    command = load(name)
    assert command.help.partition("\n")[0].strip() == SUMMARIES[name]
    assert SUMMARIES[name] in in_one_line(CliRunner().invoke(app, [name, "--help"]).output)


def test_every_task_has_a_command() -> None:
    assert {task.name for task in task_registry().tasks} <= set(SUMMARIES)


def test_all_commands_are_listed_and_others_refused() -> None:
    listed = in_one_line(CliRunner().invoke(app, ["--help"]).output)
    assert all(summary in listed for summary in SUMMARIES.values())
    unknown = CliRunner().invoke(app, ["upscal"])
    assert unknown.exit_code == 2
    assert "No such command 'upscal'" in unknown.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("upscale", "a.png", "--denoise", "3"), "'3': Input should be less than or equal to 1"),
        (("upscale", "a.png", "--scale", "much"), "'much': Input should be a valid number"),
        (("upscale", "a.png", "--format", "gif"), "'--format': 'gif' is not one of 'png'"),
        (("serve", "--port", "x"), "'x': Input should be a valid integer"),
    ],
)
def test_a_wrong_value_is_named_with_its_limit(arguments: tuple[str, ...], words: str) -> None:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert words in in_one_line(done.output)
