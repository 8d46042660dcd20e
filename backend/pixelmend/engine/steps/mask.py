"""The step `mask`: from the mask's file to the hole in the image."""

from pixelmend.engine.inpainting.inpainter import read_hole
from pixelmend.engine.steps.work import Work
from pixelmend.imaging.probe import InputLimits


class MaskStep:
    def __init__(self, limits: InputLimits) -> None:
        self._limits = limits

    def __call__(self, work: Work) -> None:
        task = work.task
        assert task.mask_path is not None, "a task with this step has a mask"
        assert task.options.inpaint is not None, "a task with this step has options for it"
        polarity = task.options.inpaint.mask_polarity
        work.hole = read_hole(task.mask_path, work.decoded.size, polarity, self._limits)
