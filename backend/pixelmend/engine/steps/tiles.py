"""The step `tiles`: the tiles are computed, and their rows go to the encoder as they are finished."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from pixelmend.engine.device_loop import DeviceLoop
from pixelmend.engine.encoder_memory import Encoders
from pixelmend.engine.steps.encode import open_output
from pixelmend.engine.steps.work import PipelineLimits, Work
from pixelmend.engine.tile_job import TileJob
from pixelmend.imaging.alpha import without_opaque_alpha
from pixelmend.imaging.canvas import Canvas
from pixelmend.imaging.edges import MarginCropWriter


class TilesStep:
    """on_models_changed: called when a model may have been opened."""

    def __init__(
        self,
        loop: DeviceLoop,
        encoders: Encoders,
        limits: PipelineLimits,
        on_models_changed: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._encoders = encoders
        self._limits = limits
        self._on_models_changed = on_models_changed

    def __call__(self, work: Work) -> None:
        assert work.model is not None, "the step `plan` comes before this one"
        assert work.plan is not None, "the step `plan` comes before this one"
        options = work.task.options.upscale
        assert options is not None, "a task with this step has options for it"
        model, plan, decoded = work.model, work.plan, work.decoded
        scale = model.model.scale
        native_size = decoded.size.scale(scale)
        work.writer = writer = open_output(work, self._encoders, self._limits, native_size)
        encoder = ThreadPoolExecutor(1, thread_name_prefix="encode")
        # Ended before the writer is: no writer is used by two threads.
        work.resources.callback(encoder.shutdown)
        pixels, write_rows = without_opaque_alpha(decoded.pixels, writer.write_rows)
        cropped = MarginCropWriter(write_rows, native_size, options.margin_px * scale)
        # What was inpainted before is half of the work, however many tiles there are.
        before = 0 if work.inpainted is None else len(plan)
        finished: Future[None] = Future()
        work.job = job = TileJob(
            id=work.task.id,
            runner=model.runner,
            plan=plan,
            pixels=pixels,
            canvas=Canvas(plan, scale, pixels.shape[2], pixels.dtype, cropped),
            encoder=encoder,
            on_progress=lambda done, total: work.on_progress(before + done, before + total),
            on_finished=lambda job: finished.set_result(None),
            on_failed=lambda job, error: finished.set_exception(error),
            margin_px=options.margin_px,
        )
        job.on_progress(0, len(plan))
        self._on_models_changed()
        self._loop.add(job, work.cancelled)
        finished.result()
