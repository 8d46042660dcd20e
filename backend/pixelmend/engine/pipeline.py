"""An image's way through a worker: decode, tiles, encode - on their own threads, so that they overlap."""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from pixelmend.core.errors import Cancelled, PixelmendError
from pixelmend.core.geometry import Size
from pixelmend.engine.encoder_memory import Encoders
from pixelmend.engine.inpainting.inpainter import Inpainter, InpaintResult
from pixelmend.engine.inpainting.slots import ComputeSlots
from pixelmend.engine.model_cache.cache import ModelCache
from pixelmend.engine.model_cache.open_models import OpenModel
from pixelmend.engine.reports import Source, inpaint_report, upscale_report
from pixelmend.engine.tile_scheduler import TileJob, TileScheduler
from pixelmend.imaging.alpha import bleed_colour, without_opaque_alpha
from pixelmend.imaging.canvas import Canvas
from pixelmend.imaging.codec import Decoded, decode
from pixelmend.imaging.edges import EDGE_MARGIN_PX, MarginCropWriter
from pixelmend.imaging.formats import OutputSpec
from pixelmend.imaging.probe import InputLimits
from pixelmend.imaging.writers import ImageWriter
from pixelmend.tasks.image import ImageReport, ImageTask
from pixelmend.tasks.options import ImageOptions, InpaintOptions

_INPAINT_STEPS = 20
"""Of progress, for what is inpainted before anything is enlarged."""
_SAVED_ROWS = 256
_INPAINT_THREADS = 64


@dataclass(frozen=True, slots=True)
class PipelineLimits:
    input: InputLimits
    max_output_pixels: int
    tile_px: int
    batch_tiles: int
    max_in_flight: int
    threads: int


class Listener(Protocol):
    """Hears of every task exactly one `done` or `failed`; called from several threads."""

    def progress(self, task_id: str, done_tiles: int, total_tiles: int) -> None: ...

    def done(self, task_id: str, report: ImageReport) -> None: ...

    def failed(self, task_id: str, error: Exception) -> None: ...

    def models_changed(self) -> None: ...


@dataclass(slots=True)
class _Running:
    """A task whose tiles are planned. `writer` belongs to the one thread of `encoder`."""

    task: ImageTask
    source: Source
    opened: OpenModel
    spec: OutputSpec
    writer: ImageWriter
    encoder: ThreadPoolExecutor


class Pipeline:
    """`submit` and `cancel` may be called from any thread; `run` owns the device."""

    def __init__(
        self, cache: ModelCache, limits: PipelineLimits, listener: Listener, encoders: Encoders
    ) -> None:
        self._cache = cache
        self._encoders = encoders
        self._scheduler = TileScheduler(
            limits.batch_tiles, max_in_flight=limits.max_in_flight, admit=self._act, wake=self.wake
        )
        self._limits = limits
        self._listener = listener
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._cancelled: set[str] = set()
        self._running: dict[str, _Running] = {}
        self._beat_s = time.monotonic()
        # Decoding waits for the disk and for libvips, which has threads of its own. Enough of them that
        # posters do not keep a thumbnail from being decoded.
        self._decoders = ThreadPoolExecutor(8, thread_name_prefix="decode")
        # Filling holes takes the processor for seconds, and no decoding waits for it. More threads than may
        # compute: what has to give way keeps its own.
        self._inpaint_threads = ThreadPoolExecutor(_INPAINT_THREADS, thread_name_prefix="inpaint")
        self._inpainter = Inpainter(
            cache, limits.input, self._scheduler.run_on_device, ComputeSlots(limits.threads)
        )

    @property
    def step_age_s(self) -> float:
        """Seconds since the device loop last came round."""
        return time.monotonic() - self._beat_s

    def submit(self, task: ImageTask) -> None:
        self._decoders.submit(self._decode, task, time.perf_counter())

    def cancel(self, task_id: str) -> None:
        self._cancelled.add(task_id)
        self._inbox.put(lambda: self._drop_if_running(task_id))

    def preload(self, model_id: str) -> None:
        """Open a model ahead of the first request. Raises what `load` raises."""
        self._cache.load(model_id)

    def run(self, stop: threading.Event, poll_s: float = 0.5) -> None:
        """The device loop, until `stop` is set."""
        while not stop.is_set():
            self._beat_s = time.monotonic()
            if not self._scheduler.has_work:
                with suppress(queue.Empty):
                    self._inbox.get(timeout=poll_s)()
            self._act()
            self._scheduler.step()
        self._scheduler.close()
        self._decoders.shutdown(wait=True, cancel_futures=True)
        self._inpaint_threads.shutdown(wait=True, cancel_futures=True)

    def _act(self) -> None:
        """Do what other threads have asked for."""
        with suppress(queue.Empty):
            while True:
                self._inbox.get_nowait()()

    # --- decode threads -------------------------------------------------------------------------------

    def _decode(self, task: ImageTask, started_s: float) -> None:
        try:
            self._raise_if_cancelled(task)
            decoded = decode(task.input_path, self._limits.input, first_frame=task.options.first_frame)
            source = Source(decoded, started_s, time.perf_counter() - started_s)
            self._raise_if_cancelled(task)
        except Exception as error:
            self._report_failure(task, error)
            return
        if task.options.inpaint is None:
            self._start_upscale(task, source)
        else:
            self._inpaint_threads.submit(self._inpaint, task, task.options.inpaint, source)

    def _start_upscale(self, task: ImageTask, source: Source) -> None:
        upscale = task.options.upscale
        try:
            assert upscale is not None, "only what upscales comes here"
            self._raise_if_cancelled(task)
            decoded = source.decoded
            if decoded.has_alpha:
                decoded = replace(decoded, pixels=bleed_colour(decoded.pixels))
            # Here, so that no other job waits: a model that is not open yet takes seconds.
            opened = self._cache.lease(upscale.model, denoise=upscale.denoise, sixteen_bit=decoded.bits == 16)
        except Exception as error:
            self._report_failure(task, error)
            return
        try:
            job, running = self._plan(task, replace(source, decoded=decoded), opened)
        except Exception as error:
            self._cache.release(opened)
            self._report_failure(task, error)
            return
        self._inbox.put(lambda: self._begin(job, running))

    # --- inpaint threads --------------------------------------------------------------------------------

    def _inpaint(self, task: ImageTask, options: InpaintOptions, source: Source) -> None:
        def tell(done_px: int, total_px: int) -> None:
            steps = _INPAINT_STEPS * done_px // total_px
            # How many tiles come after it is not known yet; they are counted once it is.
            total = 2 * _INPAINT_STEPS if task.options.upscale else _INPAINT_STEPS
            self._listener.progress(task.id, steps, total)

        try:
            assert task.mask_path is not None, "a task that erases has a mask"
            self._raise_if_cancelled(task)
            inpainted = self._inpainter.inpaint(
                source.decoded,
                task.mask_path,
                options,
                cancelled=lambda: task.id in self._cancelled,
                on_progress=tell,
            )
            self._listener.models_changed()
            source = replace(source, decoded=inpainted.decoded, inpainted=inpainted)
            if task.options.upscale is None:
                self._save(task, source, inpainted)
        except Exception as error:
            self._report_failure(task, error)
            return
        if task.options.upscale is not None:
            self._start_upscale(task, source)

    def _save(self, task: ImageTask, source: Source, inpainted: InpaintResult) -> None:
        """The image at its own size. Raises what the writer raises, and Cancelled; nothing is left then."""
        decoded, encode_started_s = source.decoded, time.perf_counter()
        spec = self._spec(task.options, decoded, decoded.size)
        with self._open_writer(task, spec, decoded) as writer:
            for top in range(0, decoded.size.height, _SAVED_ROWS):
                self._raise_if_cancelled(task)
                writer.write_rows(decoded.pixels[top : top + _SAVED_ROWS])
            writer.finish()
        now_s = time.perf_counter()
        report = inpaint_report(source, inpainted, spec, encode_started_s, now_s)
        if task.id in self._cancelled:
            task.output_path.unlink(missing_ok=True)
            self._raise_if_cancelled(task)
        self._cancelled.discard(task.id)
        self._listener.done(task.id, report)

    # --- device loop ----------------------------------------------------------------------------------

    def _begin(self, job: TileJob, running: _Running) -> None:
        task = running.task
        self._running[task.id] = running
        if task.id in self._cancelled:
            self._on_tiles_failed(job, Cancelled(f"job {task.id} was cancelled"))
            return
        self._scheduler.add(job)
        job.on_progress(0, len(job.plan))
        self._listener.models_changed()

    def _plan(self, task: ImageTask, source: Source, opened: OpenModel) -> tuple[TileJob, _Running]:
        options, model, decoded = task.options, opened.model, source.decoded
        upscale = options.upscale
        assert upscale is not None, "only what upscales comes here"
        size = upscale.target.size_for(decoded.size, model.scale, self._limits.max_output_pixels)
        spec = self._spec(options, decoded, size)
        budget_px = self._limits.tile_px
        rules = opened.tile_rules(opened.affordable_tile_px(budget_px))
        plan = rules.plan(decoded.size, budget_px, upscale.tile_px)
        native_size = decoded.size.scale(model.scale)
        encoder = ThreadPoolExecutor(1, thread_name_prefix="encode")
        writer = self._open_writer(task, spec, decoded, native_size)
        pixels, write_rows = without_opaque_alpha(decoded.pixels, writer.write_rows)
        inside = MarginCropWriter(write_rows, native_size, EDGE_MARGIN_PX * model.scale)
        # What was inpainted before is half of the way, however many tiles there are.
        before = 0 if source.inpainted is None else len(plan)
        job = TileJob(
            id=task.id,
            runner=opened.runner,
            plan=plan,
            pixels=pixels,
            canvas=Canvas(plan, model.scale, pixels.shape[2], pixels.dtype, inside),
            encoder=encoder,
            on_progress=lambda done, total: self._listener.progress(task.id, before + done, before + total),
            on_finished=self._on_tiles_finished,
            on_failed=self._on_tiles_failed,
            margin_px=EDGE_MARGIN_PX,
        )
        return job, _Running(task, source, opened, spec, writer, encoder)

    def _open_writer(
        self, task: ImageTask, spec: OutputSpec, decoded: Decoded, source_size: Size | None = None
    ) -> ImageWriter:
        return self._encoders.open_writer(
            task.output_path,
            spec,
            decoded.metadata,
            threads=self._limits.threads,
            source_size=source_size,
            raise_if_cancelled=lambda: self._raise_if_cancelled(task),
        )

    def _spec(self, options: ImageOptions, decoded: Decoded, size: Size) -> OutputSpec:
        return OutputSpec(
            self._limits.input.formats.output(options.format),
            size,
            decoded.channels,
            decoded.bits,
            options.quality,
        )

    def _drop_if_running(self, task_id: str) -> None:
        job = self._scheduler.remove(task_id)
        if job is not None:
            self._on_tiles_failed(job, Cancelled(f"job {task_id} was cancelled"))

    # --- encode threads -------------------------------------------------------------------------------

    def _on_tiles_finished(self, job: TileJob) -> None:
        running = self._running.pop(job.id)
        task = running.task
        try:
            self._raise_if_cancelled(task)
            encode_started_s = time.perf_counter()
            running.writer.finish()
            now = time.perf_counter()
            report = upscale_report(running.source, running.opened, job, running.spec, encode_started_s, now)
            if task.id in self._cancelled:
                task.output_path.unlink(missing_ok=True)
                self._raise_if_cancelled(task)
        except Exception as error:
            self._abandon(running, error)
            return
        self._let_go(running)
        self._cancelled.discard(task.id)
        self._listener.done(task.id, report)

    def _abandon(self, running: _Running, error: Exception) -> None:
        running.writer.abort()
        self._let_go(running)
        self._report_failure(running.task, error)

    def _let_go(self, running: _Running) -> None:
        self._cache.release(running.opened)
        running.encoder.shutdown(wait=False)

    # --- both -----------------------------------------------------------------------------------------

    def _on_tiles_failed(self, job: TileJob, error: Exception) -> None:
        running = self._running.pop(job.id)
        # After what the encoder is doing: writers are not made for two threads.
        running.encoder.submit(self._abandon, running, error)

    def wake(self) -> None:
        """The device loop looks at once whether there is something to do."""
        self._inbox.put(lambda: None)

    def _raise_if_cancelled(self, task: ImageTask) -> None:
        if task.id in self._cancelled:
            raise Cancelled(f"job {task.id} was cancelled")

    def _report_failure(self, task: ImageTask, error: Exception) -> None:
        if task.id in self._cancelled and not isinstance(error, PixelmendError):
            error = Cancelled(f"job {task.id} was cancelled")  # its files went while it was at work
        self._cancelled.discard(task.id)
        self._listener.failed(task.id, error)
