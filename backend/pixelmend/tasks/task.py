"""What a task is: everything that the service, the command line and the documents know of a kind of work."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from pixelmend.core.geometry import Size
from pixelmend.imaging.formats import Format, format_named
from pixelmend.imaging.target import Target
from pixelmend.models.catalog import Catalog
from pixelmend.tasks.form import TaskForm
from pixelmend.tasks.image import ImageReport
from pixelmend.tasks.options import ImageOptions

BATCH_SUFFIX = "-batch"


class Task(ABC):
    """One kind of work on an image. It has no state.

    name: in addresses, forms and records; it never changes. summary and result: for the documents.
    file_mark: in the names of results that lie beside their sources. cli_summary: for the command line.
    cli_names: names of command line options that differ from those of the form's fields.
    takes_video: its file is a film and not an image. has_batch: there are batches of it. is_long: it is a job
    of minutes or hours: no request waits for it, and other jobs come first.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    batch_summary: ClassVar[str] = ""
    result: ClassVar[str]
    cli_summary: ClassVar[str]
    file_mark: ClassVar[str]
    form: ClassVar[type[TaskForm]]
    takes_mask: ClassVar[bool] = False
    takes_video: ClassVar[bool] = False
    has_batch: ClassVar[bool] = True
    is_long: ClassVar[bool] = False
    cli_names: ClassVar[Mapping[str, str]] = MappingProxyType({})

    @abstractmethod
    def steps(self, options: ImageOptions) -> tuple[str, ...]:
        """The names of the pipeline's steps (engine/steps), in their order."""

    def outputs(self, images: tuple[Format, ...]) -> tuple[Format, ...]:
        """The formats of its results. images: the service's own."""
        return images

    def output(self, name: str, images: tuple[Format, ...]) -> Format:
        """The format of that name. Raises InvalidParameter naming what there is."""
        return format_named(name, self.outputs(images))

    def check(self, options: ImageOptions, catalog: Catalog) -> None:  # noqa: B027 - most have nothing to check
        """Raises what the options and their models may be refused for, whatever the image is."""

    def scale(self, options: ImageOptions, catalog: Catalog, known_scale: int | None) -> int:
        """How many times as wide as the image its computed pixels are.

        known_scale: that of the main model, once a worker has read it.
        """
        return 1

    def result_size(self, options: ImageOptions, source: Size, scale: int, max_pixels: int) -> Size:
        """The size of the result for an upright `source`. Raises InvalidParameter, OutputTooLarge."""
        return Target().size_for(source, scale, max_pixels)

    def name_mark(self, options: ImageOptions, report: ImageReport) -> str:
        """What the name of a result says of the work: `-x4`."""
        return f"-{self.name}"

    def headers(self, report: ImageReport) -> Mapping[str, str]:
        """What a response says about the work beyond what all of them say."""
        return {}


@dataclass(frozen=True, slots=True)
class JobKind:
    """A task, done to one image or to a batch of them."""

    task: Task
    is_batch: bool = False

    @property
    def name(self) -> str:
        return self.task.name + (BATCH_SUFFIX if self.is_batch else "")

    @property
    def summary(self) -> str:
        return self.task.batch_summary if self.is_batch else self.task.summary

    @property
    def image_field(self) -> str:
        return "files" if self.is_batch else "file"

    @property
    def mask_field(self) -> str | None:
        if not self.task.takes_mask:
            return None
        return "masks" if self.is_batch else "mask"

    @property
    def file_fields(self) -> tuple[str, ...]:
        return (self.image_field,) if self.mask_field is None else (self.image_field, self.mask_field)
