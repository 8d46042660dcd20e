"""The tasks of a service, by their names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pixelmend.core.errors import InvalidParameter
from pixelmend.imaging.formats import Format, FormatRegistry
from pixelmend.tasks.inpaint import InpaintTask
from pixelmend.tasks.task import JobKind, Task
from pixelmend.tasks.upscale import UpscaleTask
from pixelmend.tasks.upscale_video import UpscaleVideoTask


@dataclass(frozen=True, slots=True)
class TaskRegistry:
    """tasks: in the order in which they are shown."""

    tasks: tuple[Task, ...]

    @property
    def kinds(self) -> Mapping[str, JobKind]:
        """All kinds of jobs, by their names."""
        kinds = [
            JobKind(task, is_batch)
            for is_batch in (False, True)
            for task in self.tasks
            if task.has_batch or not is_batch
        ]
        return {kind.name: kind for kind in kinds}

    def output(self, kind_name: str, format_name: str, images: FormatRegistry) -> Format:
        """The format of a result. Raises InvalidParameter for a task or a format that is not there."""
        return self.kind(kind_name).task.output(format_name, images.outputs)

    def outputs(self, images: FormatRegistry) -> tuple[Format, ...]:
        """All formats of results."""
        found = [each for task in self.tasks for each in task.outputs(images.outputs)]
        return tuple(dict.fromkeys(found))

    def kind(self, name: str) -> JobKind:
        """Raises InvalidParameter naming what there is."""
        found = self.kinds.get(name)
        if found is None:
            raise InvalidParameter(f"task={name[:64]!r} is not known; there are: {', '.join(self.kinds)}")
        return found


def task_registry(more: Iterable[Task] = ()) -> TaskRegistry:
    """The tasks that come with the package, and `more`. A name that is taken raises ValueError."""
    tasks = (UpscaleTask(), InpaintTask(), UpscaleVideoTask(), *more)
    names = [task.name for task in tasks]
    if len(set(names)) < len(names):
        raise ValueError(f"two tasks have one name: {', '.join(names)}")
    return TaskRegistry(tasks)
