"""The step `inpaint`: the hole is filled."""

from collections.abc import Callable

from pixelmend.engine.inpainting.inpainter import Inpainter
from pixelmend.engine.steps.work import Work

_PROGRESS_PARTS = 20


class InpaintStep:
    """on_models_changed: called when a model may have been opened."""

    def __init__(self, inpainter: Inpainter, on_models_changed: Callable[[], None]) -> None:
        self._inpainter = inpainter
        self._on_models_changed = on_models_changed

    def __call__(self, work: Work) -> None:
        options = work.task.options.inpaint
        assert options is not None, "a task with this step has options for it"
        assert work.hole is not None, "the step `mask` comes before this one"
        # If tiles are computed after it, their number is not known yet. It counts as half of the work.
        total_parts = (2 if "tiles" in work.task.steps else 1) * _PROGRESS_PARTS

        def report(done_px: int, total_px: int) -> None:
            work.on_progress(_PROGRESS_PARTS * done_px // total_px, total_parts)

        result = self._inpainter.inpaint(
            work.decoded,
            work.hole,
            options,
            cancelled=work.cancelled,
            on_progress=report,
            on_cpu_because=work.task.on_cpu_because,
        )
        self._on_models_changed()
        work.image, work.inpainted, work.hole = result.decoded, result, None
