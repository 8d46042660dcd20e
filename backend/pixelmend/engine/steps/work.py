"""One task on its way through the pipeline's steps, and the limits on all tasks."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from pixelmend.core.errors import Cancelled
from pixelmend.engine.inpainting.inpainter import InpaintResult
from pixelmend.engine.model_cache.open_models import OpenModel
from pixelmend.engine.tile_job import TileJob
from pixelmend.imaging.codec import Decoded
from pixelmend.imaging.formats import OutputSpec
from pixelmend.imaging.mask import Hole
from pixelmend.imaging.probe import InputLimits
from pixelmend.imaging.tiling import TilePlan
from pixelmend.imaging.writers import ImageWriter
from pixelmend.tasks.image import ImageReport, ImageTask


@dataclass(slots=True)
class Work:
    """What the steps of a task have made so far; each step adds to it. Used by the task's own thread.

    started_s: by `time.perf_counter()`. on_progress: called with parts done and in total, by any thread.
    resources: closed after the last step, or when one fails, the latest first. decoded: the image as it is
    after the last step. hole: what to remove of it. model, plan: with what its tiles are computed. job: how
    they were. writer: has their rows already. spec: of the result. report: of a task that is no image.
    """

    task: ImageTask
    started_s: float
    cancelled: Callable[[], bool]
    on_progress: Callable[[int, int], None]
    resources: ExitStack = field(default_factory=ExitStack)
    image: Decoded | None = None
    hole: Hole | None = None
    inpainted: InpaintResult | None = None
    model: OpenModel | None = None
    plan: TilePlan | None = None
    job: TileJob | None = None
    writer: ImageWriter | None = None
    spec: OutputSpec | None = None
    decode_s: float = 0.0
    encode_s: float = 0.0
    report: ImageReport | None = None

    @property
    def decoded(self) -> Decoded:
        assert self.image is not None, "no step before this one has decoded the image"
        return self.image

    def raise_if_cancelled(self) -> None:
        if self.cancelled():
            raise Cancelled(f"job {self.task.id} was cancelled")


Step = Callable[[Work], None]
"""One step of a task. Raises what the task fails with."""


@dataclass(frozen=True, slots=True)
class PipelineLimits:
    """tile_px: the longest edge of a tile. threads: of one encoder, and of filling holes. record_results: a
    result's file carries its record.
    """

    input: InputLimits
    max_output_pixels: int
    tile_px: int
    batch_tiles: int
    max_in_flight: int
    threads: int
    record_results: bool
