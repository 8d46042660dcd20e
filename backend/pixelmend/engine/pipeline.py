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
from pixelmend.engine.encoders import Encoders
from pixelmend.engine.erasing import Erased, Eraser
from pixelmend.engine.model_cache.cache import ModelManager
from pixelmend.engine.model_cache.open_models import OpenModel
from pixelmend.engine.reports import Source, report_of_erasing, report_of_tiles
from pixelmend.engine.tile_scheduler import Batcher, TileJob
from pixelmend.engine.turns import Turns
from pixelmend.imaging.alpha import bleed_colour, without_opaque_alpha
from pixelmend.imaging.canvas import Canvas
from pixelmend.imaging.codec import Decoded, decode
from pixelmend.imaging.edges import EDGE_MARGIN_PX, WithoutMargin
from pixelmend.imaging.probe import InputLimits
from pixelmend.imaging.writers import ImageWriter, OutputSpec
from pixelmend.tasks.image import ImageReport, ImageTask
from pixelmend.tasks.options import ImageOptions, InpaintOptions

_ERASE_STEPS = 20
"""Of progress, for what is erased before anything is enlarged."""
_SAVED_ROWS = 256
_ERASER_THREADS = 64


@dataclass(frozen=True, slots=True)
class PipelineLimits:
    input: InputLimits
    max_output_pixels: int
    tile_px: int
    batch_tiles: int
    flights: int
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
        self, manager: ModelManager, limits: PipelineLimits, listener: Listener, encoders: Encoders
    ) -> None:
        self._manager = manager
        self._encoders = encoders
        self._batcher = Batcher(limits.batch_tiles, flights=limits.flights, admit=self._act, wake=self.wake)
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
        self._erasers = ThreadPoolExecutor(_ERASER_THREADS, thread_name_prefix="erase")
        self._eraser = Eraser(manager, limits.input, self._batcher.run_beside, Turns(limits.threads))

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
        self._manager.load(model_id)

    def run(self, stop: threading.Event, poll_s: float = 0.5) -> None:
        """The device loop, until `stop` is set."""
        while not stop.is_set():
            self._beat_s = time.monotonic()
            if not self._batcher.has_work:
                with suppress(queue.Empty):
                    self._inbox.get(timeout=poll_s)()
            self._act()
            self._batcher.step()
        self._batcher.close()
        self._decoders.shutdown(wait=True, cancel_futures=True)
        self._erasers.shutdown(wait=True, cancel_futures=True)

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
            self._enlarge(task, source)
        else:
            self._erasers.submit(self._erase, task, task.options.inpaint, source)

    def _enlarge(self, task: ImageTask, source: Source) -> None:
        upscale = task.options.upscale
        try:
            assert upscale is not None, "only what upscales comes here"
            self._raise_if_cancelled(task)
            decoded = source.decoded
            if decoded.has_alpha:
                decoded = replace(decoded, pixels=bleed_colour(decoded.pixels))
            # Here, so that no other job waits: a model that is not open yet takes seconds.
            opened = self._manager.lease(
                upscale.model, denoise=upscale.denoise, sixteen_bit=decoded.bits == 16
            )
        except Exception as error:
            self._report_failure(task, error)
            return
        try:
            job, running = self._plan(task, replace(source, decoded=decoded), opened)
        except Exception as error:
            self._manager.release(opened)
            self._report_failure(task, error)
            return
        self._inbox.put(lambda: self._begin(job, running))

    # --- erase threads --------------------------------------------------------------------------------

    def _erase(self, task: ImageTask, options: InpaintOptions, source: Source) -> None:
        def tell(done_px: int, total_px: int) -> None:
            steps = _ERASE_STEPS * done_px // total_px
            # How many tiles come after it is not known yet; they are counted once it is.
            total = 2 * _ERASE_STEPS if task.options.upscale else _ERASE_STEPS
            self._listener.progress(task.id, steps, total)

        try:
            assert task.mask_path is not None, "a task that erases has a mask"
            self._raise_if_cancelled(task)
            erased = self._eraser.erase(
                source.decoded,
                task.mask_path,
                options,
                cancelled=lambda: task.id in self._cancelled,
                on_progress=tell,
            )
            self._listener.models_changed()
            source = replace(source, decoded=erased.decoded, erased=erased)
            if task.options.upscale is None:
                self._save(task, source, erased)
        except Exception as error:
            self._report_failure(task, error)
            return
        if task.options.upscale is not None:
            self._enlarge(task, source)

    def _save(self, task: ImageTask, source: Source, erased: Erased) -> None:
        """The image at its own size. Raises what the writer raises, and Cancelled; nothing is left then."""
        decoded, encode_started_s = source.decoded, time.perf_counter()
        spec = self._spec(task.options, decoded, decoded.size)
        with self._open_writer(task, spec, decoded) as writer:
            for top in range(0, decoded.size.height, _SAVED_ROWS):
                self._raise_if_cancelled(task)
                writer.write_rows(decoded.pixels[top : top + _SAVED_ROWS])
            writer.finish()
        now_s = time.perf_counter()
        report = report_of_erasing(source, erased, spec, encode_started_s, now_s)
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
        self._batcher.add(job)
        job.on_progress(0, len(job.plan))
        self._listener.models_changed()

    def _plan(self, task: ImageTask, source: Source, opened: OpenModel) -> tuple[TileJob, _Running]:
        options, model, decoded = task.options, opened.model, source.decoded
        upscale = options.upscale
        assert upscale is not None, "only what upscales comes here"
        size = upscale.target.size_for(decoded.size, model.scale, self._limits.max_output_pixels)
        spec = self._spec(options, decoded, size)
        budget_px = self._limits.tile_px
        rules = opened.tile_rules(opened.fitting_tile_px(budget_px))
        plan = rules.plan(decoded.size, budget_px, upscale.tile_px)
        native_size = decoded.size.scale(model.scale)
        encoder = ThreadPoolExecutor(1, thread_name_prefix="encode")
        writer = self._open_writer(task, spec, decoded, native_size)
        pixels, write_rows = without_opaque_alpha(decoded.pixels, writer.write_rows)
        inside = WithoutMargin(write_rows, native_size, EDGE_MARGIN_PX * model.scale)
        # What was erased before is half of the way, however many tiles there are.
        before = 0 if source.erased is None else len(plan)
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
        return OutputSpec(options.format, size, decoded.channels, decoded.bits, options.quality)

    def _drop_if_running(self, task_id: str) -> None:
        job = self._batcher.remove(task_id)
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
            report = report_of_tiles(running.source, running.opened, job, running.spec, encode_started_s, now)
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
        self._manager.release(running.opened)
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
