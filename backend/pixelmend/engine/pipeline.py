"""An image's way through a worker: decode, tiles, encode - on their own threads, so that they overlap."""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from pixelmend.engine.batcher import Batcher, TileJob
from pixelmend.engine.manager import ModelManager
from pixelmend.engine.shelf import OpenModel
from pixelmend.errors import Cancelled
from pixelmend.imaging.alpha import bleed_colour, without_opaque_alpha
from pixelmend.imaging.canvas import Canvas
from pixelmend.imaging.codec import Decoded, decode
from pixelmend.imaging.edges import EDGE_MARGIN_PX, WithoutMargin
from pixelmend.imaging.probe import InputLimits
from pixelmend.imaging.writers import ImageWriter, OutputSpec, losses, open_writer
from pixelmend.tasks import UpscaleReport, UpscaleTask


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

    def done(self, task_id: str, report: UpscaleReport) -> None: ...

    def failed(self, task_id: str, error: Exception) -> None: ...

    def models_changed(self) -> None: ...


@dataclass(slots=True)
class _Running:
    """A task past its decoding. `writer` belongs to the one thread of `encoder`."""

    task: UpscaleTask
    not_kept: tuple[str, ...]
    opened: OpenModel
    spec: OutputSpec
    writer: ImageWriter
    encoder: ThreadPoolExecutor
    started_s: float
    decode_s: float


class Pipeline:
    """`submit` and `cancel` may be called from any thread; `run` owns the device."""

    def __init__(self, manager: ModelManager, limits: PipelineLimits, listener: Listener) -> None:
        self._manager = manager
        self._batcher = Batcher(limits.batch_tiles, flights=limits.flights, admit=self._act, wake=self._wake)
        self._limits = limits
        self._listener = listener
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._cancelled: set[str] = set()
        self._running: dict[str, _Running] = {}
        self._beat_s = time.monotonic()
        # Decoding waits for the disk and for libvips, which has threads of its own. Enough of them that
        # posters do not keep a thumbnail from being decoded.
        self._decoders = ThreadPoolExecutor(8, thread_name_prefix="decode")

    @property
    def step_age_s(self) -> float:
        """Seconds since the device loop last came round."""
        return time.monotonic() - self._beat_s

    def submit(self, task: UpscaleTask) -> None:
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

    def _act(self) -> None:
        """Do what other threads have asked for."""
        with suppress(queue.Empty):
            while True:
                self._inbox.get_nowait()()

    # --- decode threads -------------------------------------------------------------------------------

    def _decode(self, task: UpscaleTask, started_s: float) -> None:
        try:
            self._raise_if_cancelled(task)
            decoded = decode(task.input_path, self._limits.input, first_frame=task.options.first_frame)
            if decoded.has_alpha:
                decoded = Decoded(bleed_colour(decoded.pixels), decoded.metadata, decoded.notes)
            decode_s = time.perf_counter() - started_s
            self._raise_if_cancelled(task)
            # Here, where it holds up nobody else: a model that is not open yet takes seconds.
            opened = self._manager.lease(
                task.options.model, denoise=task.options.denoise, sixteen_bit=decoded.bits == 16
            )
        except Exception as error:
            self._report_failure(task, error)
            return
        try:
            job, running = self._plan(task, decoded, opened, started_s, decode_s)
        except Exception as error:
            self._manager.release(opened)
            self._report_failure(task, error)
            return
        self._inbox.put(lambda: self._begin(job, running))

    # --- device loop ----------------------------------------------------------------------------------

    def _begin(self, job: TileJob, running: _Running) -> None:
        task = running.task
        self._running[task.id] = running
        if task.id in self._cancelled:
            self._on_tiles_failed(job, Cancelled(f"job {task.id} was cancelled"))
            return
        self._batcher.add(job)
        self._listener.progress(task.id, 0, len(job.plan))
        self._listener.models_changed()

    def _plan(
        self, task: UpscaleTask, decoded: Decoded, opened: OpenModel, started_s: float, decode_s: float
    ) -> tuple[TileJob, _Running]:
        options, model = task.options, opened.model
        spec = OutputSpec(
            options.format,
            options.target.size_for(decoded.size, model.scale, self._limits.max_output_pixels),
            decoded.channels,
            decoded.bits,
            options.quality,
        )
        budget_px = self._limits.tile_px
        rules = opened.tile_rules(opened.fitting_tile_px(budget_px))
        plan = rules.plan(decoded.size, budget_px, options.tile_px)
        native_size = decoded.size.scale(model.scale)
        encoder = ThreadPoolExecutor(1, thread_name_prefix="encode")
        writer = open_writer(
            task.output_path,
            spec,
            decoded.metadata,
            threads=self._limits.threads,
            source_size=native_size,
        )
        pixels, write_rows = without_opaque_alpha(decoded.pixels, writer.write_rows)
        inside = WithoutMargin(write_rows, native_size, EDGE_MARGIN_PX * model.scale)
        not_kept = tuple(dict.fromkeys([*decoded.notes, *losses(spec, decoded.metadata)]))
        job = TileJob(
            id=task.id,
            runner=opened.runner,
            plan=plan,
            pixels=pixels,
            canvas=Canvas(plan, model.scale, pixels.shape[2], pixels.dtype, inside),
            encoder=encoder,
            on_progress=lambda done, total: self._listener.progress(task.id, done, total),
            on_finished=self._on_tiles_finished,
            on_failed=self._on_tiles_failed,
            margin_px=EDGE_MARGIN_PX,
        )
        return job, _Running(task, not_kept, opened, spec, writer, encoder, started_s, decode_s)

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
            report = self._report(running, job, now - encode_started_s, now - running.started_s)
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

    def _wake(self) -> None:
        self._inbox.put(lambda: None)

    def _raise_if_cancelled(self, task: UpscaleTask) -> None:
        if task.id in self._cancelled:
            raise Cancelled(f"job {task.id} was cancelled")

    def _report_failure(self, task: UpscaleTask, error: Exception) -> None:
        self._cancelled.discard(task.id)
        self._listener.failed(task.id, error)

    def _report(self, running: _Running, job: TileJob, encode_s: float, total_s: float) -> UpscaleReport:
        opened = running.opened
        device = opened.network.device
        notes = [*([opened.note] if opened.note else []), *job.notes]
        height, width = job.pixels.shape[:2]
        if opened.model.architecture.judges_whole and len(job.plan) > 1:
            notes.append(f"{opened.model.id} is made for whole images; its tiles may differ in tone")
        return UpscaleReport(
            model=opened.model.id,
            model_sha256=opened.model.sha256,
            device_type=device.type,
            device_name=device.name,
            precision=opened.network.precision,
            width_px=running.spec.size.width,
            height_px=running.spec.size.height,
            tiles=len(job.plan),
            tile_size=str(job.plan.tile),
            decode_s=round(running.decode_s, 4),
            device_s=round(job.device_s, 4),
            encode_s=round(encode_s, 4),
            total_s=round(total_s, 4),
            not_kept=running.not_kept,
            notes=tuple(notes),
            source_px=height * width,
            computed_px=len(job.plan) * job.plan.tile.pixels * job.planes_per_tile,
        )
