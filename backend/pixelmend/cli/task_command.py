"""The command of a task: its options are the fields of the task's form."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from pixelmend.imaging.formats import format_registry
from pixelmend.tasks.task import Task

_FORMAT_HELP = "Output format; default: that of the file -o names, else {}."
_OUT_HELP = (
    "Folder for the results; for a single image it may be a file, such as out.png, or - for standard output."
)
_MASK_HELP = "What to remove, white or transparent; or a folder of such, of the same names as the images."

_Parameters = dict[str, tuple[Any, Any]]
"""Annotations and default values, `...` for none."""


@dataclass(frozen=True, slots=True)
class Given:
    """What was given on the command line. fields: of the task's form, as far as they were given."""

    inputs: list[Path]
    mask: Path | None
    fields: Mapping[str, Any]
    out: Path | None
    force: bool
    server: str | None
    key: str | None
    parallel: int
    device: str | None


def task_command(task: Task, run: Callable[[Task, Given], None]) -> Callable[..., None]:
    """A function with the signature of which typer makes the command; it calls `run`."""
    form = task.form.model_fields

    def command(**values: Any) -> None:
        fields = {name: _sent(field, values.pop(name)) for name, field in form.items()}
        inputs = values.pop("inputs", None) or [values.pop("image")]
        run(task, Given(inputs, values.pop("mask", None), fields, **values))

    parameters = {
        **_files(task),
        **{name: _option(task, name, field) for name, field in form.items()},
        **_common(),
    }
    signature = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=annotation,
            default=inspect.Parameter.empty if default is ... else default,
        )
        for name, (annotation, default) in parameters.items()
    ]
    command.__signature__ = inspect.Signature(signature)  # type: ignore[attr-defined]
    command.__annotations__ = {name: annotation for name, (annotation, _) in parameters.items()}
    command.__doc__ = f"{task.cli_summary}; a bad file does not stop the others."
    return command


def format_choice(task: Task) -> Any:
    """The formats that are written, as the type of an option: it refuses other names and lists these."""
    names = [output.name for output in task.outputs(format_registry().outputs)]
    return StrEnum("FormatName", {name.upper(): name for name in names})


def _files(task: Task) -> _Parameters:
    if not task.takes_mask:
        what = "Films" if task.takes_video else "Images"
        images = typer.Argument(metavar="IN...", help=f"{what}, or folders of them; or - for standard input.")
        return {"inputs": (Annotated[list[Path], images], ...)}
    return {
        "image": (
            Annotated[Path, typer.Argument(help="An image, or a folder of them; or - for standard input.")],
            ...,
        ),
        "mask": (Annotated[Path, typer.Argument(help=_MASK_HELP)], ...),
    }


def _common() -> _Parameters:
    key = typer.Option(envvar="PIXELMEND_API_KEY", help="The service's API key.", show_envvar=True)
    parallel = typer.Option(min=1, max=64, help="Files sent to the service at a time.")
    device = typer.Option(
        help="auto, cpu, mps, cuda, cuda:N, vulkan, vulkan:N, openvino:gpu or openvino:gpu.N."
    )
    server = typer.Option(help="URL of a Pixelmend service that does the work.")
    return {
        "out": (Annotated[Path | None, typer.Option("-o", "--out", help=_OUT_HELP)], None),
        "force": (Annotated[bool, typer.Option(help="Do again what is already done.")], False),
        "server": (Annotated[str | None, server], None),
        "key": (Annotated[str | None, key], None),
        "parallel": (Annotated[int, parallel], 4),
        "device": (Annotated[str | None, device], None),
    }


def _option(task: Task, name: str, field: FieldInfo) -> tuple[Any, Any]:
    """Not given means None, so that the form's own default counts."""
    kind, word = _kind_of(field), _flag_word(field)
    flag = "--" + task.cli_names.get(name, name).replace("_", "-")
    help_text = field.description
    if name == "format":
        help_text = _FORMAT_HELP.format("the film's own" if task.takes_video else "png")
    if name == "format":
        return Annotated[format_choice(task) | None, typer.Option(flag, help=help_text)], None
    if word is not None:
        return Annotated[bool, typer.Option(f"{flag}-{word}", help=help_text)], False
    if kind is bool:
        return Annotated[bool, typer.Option(help=help_text)], bool(field.default)
    least = next((bound.ge for bound in field.metadata if isinstance(bound, Ge)), None)
    most = next((bound.le for bound in field.metadata if isinstance(bound, Le)), None)
    option = typer.Option(flag, min=least, max=most, help=help_text)  # type: ignore[arg-type]
    return Annotated[kind | None, option], None


def _kind_of(field: FieldInfo) -> Any:
    """The type of a field that is given at all."""
    arguments = [kind for kind in get_args(field.annotation) if kind is not type(None)]
    return field.annotation if not arguments or get_origin(field.annotation) is Literal else arguments[0]


def _flag_word(field: FieldInfo) -> str | None:
    """The word of a field that takes a single one, which is a flag on the command line."""
    kind = _kind_of(field)
    words = get_args(kind) if get_origin(kind) is Literal else ()
    return str(words[0]) if len(words) == 1 else None


def _sent(field: FieldInfo, value: Any) -> Any:
    """As the form has it."""
    word = _flag_word(field)
    if word is not None:
        return word if value else None
    return value.value if isinstance(value, Enum) else value
