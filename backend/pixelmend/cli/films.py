"""`pixelmend upscale` takes films as well: they become the other task's, with the same options."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pixelmend.cli.files import FILMS, IMAGES
from pixelmend.cli.request import Request
from pixelmend.cli.task_command import Given
from pixelmend.core.config import Settings
from pixelmend.tasks.task import Task
from pixelmend.tasks.upscale import UpscaleTask
from pixelmend.tasks.upscale_video import UpscaleVideoTask


def split(task: Task, given: Given) -> list[tuple[Task, Given]]:
    """What was given, by the tasks that do it and the containers of films, which results keep. A folder is
    one of what the command is for.
    """
    if isinstance(task, UpscaleTask):
        films = [path for path in given.inputs if path.suffix.lower() in FILMS.suffixes and not path.is_dir()]
        others = [path for path in given.inputs if path not in films]
        if not films:
            return [(task, given)]
        known = UpscaleVideoTask.form.model_fields
        fields = {name: value for name, value in given.fields.items() if name in known}
        if fields.get("format") in {each.name for each in IMAGES.outputs}:
            fields["format"] = None
        rest = [(task, replace(given, inputs=others))] if others else []
        return [*rest, *_by_container(replace(given, inputs=films, fields=fields))]
    return _by_container(given) if task.takes_video else [(task, given)]


def _by_container(given: Given) -> list[tuple[Task, Given]]:
    groups: dict[str, list[Path]] = {}
    for path in given.inputs:
        kept = None if given.fields.get("format") else FILMS.output_of_suffix(path.suffix)
        groups.setdefault("" if kept is None else kept.name, []).append(path)
    return [(UpscaleVideoTask(), replace(given, inputs=paths)) for paths in groups.values()]


def by_kind(images: Request, fields: Mapping[str, Any], settings: Settings) -> Callable[[Path], Request]:
    """What is asked for a file: `images`, or for a film the same fields, in its own kind of container."""
    films = {
        container.name: Request.here(UpscaleVideoTask(), fields, container, settings)
        for container in FILMS.outputs
    }

    def request_of(path: Path) -> Request:
        suffix = path.suffix.lower()
        if suffix in IMAGES.suffixes or suffix not in FILMS.suffixes:
            return images
        kept = FILMS.output_of_suffix(suffix) or FILMS.outputs[0]
        return films[kept.name]

    return request_of
