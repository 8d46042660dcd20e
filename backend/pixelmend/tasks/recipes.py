"""Named sets of options, which an operator writes once and callers ask for by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pixelmend.core.errors import InvalidParameter
from pixelmend.tasks.form import DefaultModels, parse_fields
from pixelmend.tasks.registry import TaskRegistry
from pixelmend.tasks.task import Task
from pixelmend.tasks.upscale import UpscaleTask

FIELD = "recipe"
"""The field of a form that names one."""
SETTING = "recipes"


@dataclass(frozen=True, slots=True)
class Recipe:
    """task: the name of the one that it is for. fields: of that task's form."""

    name: str
    task: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Recipes:
    recipes: tuple[Recipe, ...] = ()

    @classmethod
    def of(
        cls, written: Mapping[str, Mapping[str, Any]], tasks: TaskRegistry, defaults: DefaultModels
    ) -> "Recipes":
        """written: as in the configuration. Raises InvalidParameter naming the recipe and what is wrong with
        it, so that a service with a useless one does not start.
        """
        found = []
        for name, values in written.items():
            fields = dict(values)
            task = str(fields.pop("task", UpscaleTask.name))
            recipe = Recipe(name, task, fields)
            try:
                if FIELD in fields:
                    raise InvalidParameter("a recipe names no other one")
                kind = tasks.kind(task)
                parse_fields(kind.task.form, fields).options(defaults, "png")
            except InvalidParameter as error:
                raise InvalidParameter(f"{SETTING}: {name[:64]}: {error.message}") from error
            found.append(recipe)
        return cls(tuple(found))

    def get(self, name: str) -> Recipe:
        """Raises InvalidParameter naming what there is."""
        found = next((each for each in self.recipes if each.name == name), None)
        if found is None:
            known = ", ".join(each.name for each in self.recipes) or "none"
            raise InvalidParameter(f"recipe={name[:64]!r} is not known; there are: {known}")
        return found

    def applied(self, fields: Mapping[str, Any], task: Task) -> dict[str, Any]:
        """The fields with those of the recipe that they name; what is sent beside it counts before it.

        Raises InvalidParameter for a recipe that is not there, or that is another task's.
        """
        name = fields.get(FIELD)
        if name is None or not str(name).strip():
            return dict(fields)
        recipe = self.get(str(name).strip())
        if recipe.task != task.name:
            raise InvalidParameter(f"recipe={recipe.name!r} is for task={recipe.task}, not {task.name}")
        sent = {name: value for name, value in fields.items() if value is not None and str(value).strip()}
        return {**_without_rivals(recipe.fields, sent), **sent}


def _without_rivals(fields: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """A size that is sent takes the place of the recipe's, whichever way either is told."""
    sizes = {"scale", "width", "height"}
    rivals = sizes if sizes & set(sent) else set()
    return {name: value for name, value in fields.items() if name not in rivals}
