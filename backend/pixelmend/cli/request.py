"""What a command asks for each of its files: the task, its form and the options that follow from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pixelmend.core.config import Settings
from pixelmend.imaging.formats import Format
from pixelmend.models.catalog import Catalog, load_catalog
from pixelmend.tasks.form import DefaultModels, TaskForm, parse_fields
from pixelmend.tasks.options import ImageOptions
from pixelmend.tasks.task import Task


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
        catalog = load_catalog(settings.models_dir)
        defaults = DefaultModels(settings.default_model, settings.default_inpaint_model, catalog)
        return cls._of(task, fields, output, defaults)

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
        """The form as it is sent to `POST /api/jobs`."""
        filled_in = self.form.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        return {
            "task": self.task.name,
            **{name: str(value) for name, value in filled_in.items()},
            "format": self.options.format,
        }
