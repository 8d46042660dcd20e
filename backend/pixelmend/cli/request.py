"""What a command asks for each of its files: the task, its form and the options that follow from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pixelmend.client import Info
from pixelmend.core.config import Settings
from pixelmend.imaging.formats import Format
from pixelmend.models.catalog import Catalog, load_catalog
from pixelmend.tasks.form import DefaultModels, TaskForm, parse_fields
from pixelmend.tasks.options import ImageOptions
from pixelmend.tasks.recipes import FIELD, Recipe, Recipes
from pixelmend.tasks.registry import task_registry
from pixelmend.tasks.task import Task


def with_recipe(fields: Mapping[str, Any], task: Task, settings: Settings) -> dict[str, Any]:
    """The fields with those of the recipe that they name, which then has done its work. Raises
    InvalidParameter.
    """
    recipes = Recipes.of(settings.recipes, task_registry(), _defaults(settings))
    return _applied(recipes, fields, task)


def with_recipe_of(info: Info, fields: Mapping[str, Any], task: Task) -> dict[str, Any]:
    """The same with the recipes of a service: their formats count for the names of results here."""
    known = Recipes(tuple(Recipe(each.name, each.task, each.fields) for each in info.recipes))
    return _applied(known, fields, task)


def _applied(recipes: Recipes, fields: Mapping[str, Any], task: Task) -> dict[str, Any]:
    return {name: value for name, value in recipes.applied(fields, task).items() if name != FIELD}


def _defaults(settings: Settings) -> DefaultModels:
    catalog = load_catalog(settings.models_dir)
    return DefaultModels(settings.default_model, settings.default_inpaint_model, catalog)


@dataclass(frozen=True, slots=True)
class Request:
    """form: as it was filled in; a service has defaults of its own for the rest.

    options: all that counts on this machine.
    """

    task: Task
    form: TaskForm
    options: ImageOptions
    output: Format

    @classmethod
    def here(cls, task: Task, fields: Mapping[str, Any], output: Format, settings: Settings) -> "Request":
        """For this machine. Raises InvalidParameter naming the field."""
        return cls._of(task, fields, output, _defaults(settings))

    @classmethod
    def elsewhere(cls, task: Task, fields: Mapping[str, Any], output: Format) -> "Request":
        """For a service: the models that it takes by itself have no names here."""
        return cls._of(task, fields, output, DefaultModels("", "", Catalog(())))

    @classmethod
    def _of(cls, task: Task, fields: Mapping[str, Any], output: Format, defaults: DefaultModels) -> "Request":
        if task.takes_video:
            fields = {
                **fields,
                "format": output.name,
            }  # a film's own container is not known before it is read
        form = parse_fields(task.form, fields)
        return cls(task, form, form.options(defaults, output.name), output)

    @property
    def fields(self) -> dict[str, str]:
        """The form as it is sent to `POST /api/jobs`, but for the task."""
        filled_in = self.form.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        return {
            **{name: str(value) for name, value in filled_in.items()},
            "format": self.options.format,
        }
