"""One film's way: its frames are decoded, computed and encoded at the same time, segment by segment."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from pixelmend.core.geometry import Size
from pixelmend.engine.device_loop import DeviceLoop
from pixelmend.engine.frame_upscaler import FrameUpscaler, PendingFrame
from pixelmend.engine.model_cache.open_models import OpenModel
from pixelmend.engine.steps.work import PipelineLimits, Work
from pixelmend.imaging.canvas import Pixels
from pixelmend.imaging.tiling import TilePlan
from pixelmend.video.codecs import Codec
from pixelmend.video.frames import Frame, FrameReader
from pixelmend.video.inspection import Film, inspect
from pixelmend.video.joining import Cut, FinishedSegment, join
from pixelmend.video.parts import PartsFolder, SegmentRecord
from pixelmend.video.segments import EncodingSpec, SegmentWriter, choose_encoder
from pixelmend.video.timeline import Segment, Timeline

_AHEAD_FRAMES = 2
"""Decoded before the device wants them, and upscaled before the encoder does."""
_MAX_IN_FLIGHT_FRAMES = 8


def film_parts(path: Path, start_s: float, seconds: float | None) -> tuple[Film, Timeline]:
    """The film, and the times of that part of it."""
    film = inspect(path)
    return film, film.timeline.part(start_s, seconds)


@dataclass(frozen=True, slots=True)
class FilmJob:
    """What is done with a film. timeline: of the part that is asked for. size: of the result's frames, as
    they are stored. plan: of the tiles of a frame.
    """

    path: Path
    film: Film
    timeline: Timeline
    model: OpenModel
    plan: TilePlan
    margin_px: int
    size: Size
    codec: Codec
    quality: int
    encoder: str
    deinterlace: bool


@dataclass(slots=True)
class _Tally:
    """What was counted up to the end of the last segment."""

    damaged: int = 0
    computed_tiles: int = 0
    reused_tiles: int = 0
    device_s: float = 0.0
    notes: list[str] = field(default_factory=list)


class FilmRun:
    """Belongs to the task's thread, which hands work to one thread that decodes and one that encodes."""

    def __init__(
        self, work: Work, job: FilmJob, loop: DeviceLoop, folder: PartsFolder, limits: PipelineLimits
    ) -> None:
        self._work = work
        self._job = job
        self._folder = folder
        self._limits = limits
        family, bits = _family(job.film.pixel_format), job.film.header.bits
        name, self._family, self._bits = job.codec.pixel_format(family, bits)
        self._spec = EncodingSpec(
            codec=job.codec,
            encoder=choose_encoder(job.codec, name, job.encoder),
            pixel_format=name,
            quality=job.quality,
            rows=job.film.header.size.scale(job.model.model.scale),
            size=job.size,
            bits=8 if bits == 8 else 16,
            rate=job.timeline.average_rate,
            time_base_s=job.timeline.time_base_s,
            origin=job.timeline.pts[0],
            colour=job.film.colour,
            aspect=job.film.aspect,
            threads=limits.threads,
        )
        self._reader = FrameReader(job.path, job.film, job.timeline, deinterlace=job.deinterlace)
        self._threads = {name: ThreadPoolExecutor(1, name) for name in ("decode", "take-over", "encode")}
        for thread in self._threads.values():
            work.resources.callback(thread.shutdown, cancel_futures=True)
        self._upscaler = FrameUpscaler(
            loop,
            job.model,
            job.plan,
            job.margin_px,
            work.task.id,
            self._threads["take-over"],
            work.cancelled,
        )
        in_flight = -(-2 * limits.batch_tiles // len(job.plan))
        self._in_flight_frames = min(_MAX_IN_FLIGHT_FRAMES, max(2, in_flight))

    # --- segments ---------------------------------------------------------------------------------------

    def segments(self, segments: Sequence[Segment]) -> list[SegmentRecord]:
        """Make those that are not finished. Raises Cancelled, StorageFull, and what frames fail with."""
        records = self._folder.finished(segments)
        total = len(self._job.timeline)
        remaining = segments[len(records) :]
        self._work.on_progress(remaining[0].start if remaining else total, total)
        if not remaining:
            return records
        frames = self._upscaled(self._decoded(remaining[0].start))
        following = next(frames, None)
        tally = _Tally()
        for segment in remaining:
            with ExitStack() as resources:
                written = _Written(self._folder, segment, self._spec, self._threads["encode"], resources)
                while following is not None and following[0].index < segment.stop:
                    frame, pixels = following
                    self._work.raise_if_cancelled()
                    written.add(frame, pixels, self._job.timeline.durations[frame.index])
                    self._work.on_progress(frame.index + 1, total)
                    following = next(frames, None)
                began_s = time.perf_counter()
                file, pts = written.finish()
                self._work.encode_s += time.perf_counter() - began_s
            record = self._record(segment, file, pts, tally)
            self._folder.add(record)
            records.append(record)
        self._work.on_progress(total, total)
        return records

    def _record(
        self, segment: Segment, file: str | None, pts: tuple[int, ...], tally: _Tally
    ) -> SegmentRecord:
        """Counts what was counted since the last one. Frames are begun ahead of the segment that is being
        finished, so counts of neighbours run into each other; their sums are right.
        """
        upscaler, times = self._upscaler, self._job.timeline
        start = float((times.pts[segment.start] - times.pts[0]) * times.time_base_s)
        last = segment.stop - 1
        end = float((times.pts[last] + times.durations[last] - times.pts[0]) * times.time_base_s)
        record = SegmentRecord(
            segment.number,
            file,
            pts,
            round(start, 6),
            round(end - start, 6),
            segment.frames - len(pts),
            upscaler.computed_tiles - tally.computed_tiles,
            upscaler.reused_tiles - tally.reused_tiles,
            round(upscaler.device_s - tally.device_s, 4),
            tuple(note for note in upscaler.notes if note not in tally.notes),
        )
        tally.computed_tiles, tally.reused_tiles = upscaler.computed_tiles, upscaler.reused_tiles
        tally.device_s, tally.notes = upscaler.device_s, list(upscaler.notes)
        return record

    def _decoded(self, start: int) -> Iterator[Frame]:
        """Frames from that number on, some of them ahead of their use."""
        frames = self._reader.frames(start)
        thread = self._threads["decode"]
        ahead = deque(thread.submit(next, frames, None) for _ in range(_AHEAD_FRAMES))
        while True:
            began_s = time.perf_counter()
            frame = ahead.popleft().result()
            self._work.decode_s += time.perf_counter() - began_s
            if frame is None:
                return
            ahead.append(thread.submit(next, frames, None))
            yield frame

    def _upscaled(self, frames: Iterator[Frame]) -> Iterator[tuple[Frame, Pixels]]:
        pending: deque[tuple[Frame, PendingFrame]] = deque()
        for frame in frames:
            pending.append((frame, self._upscaler.begin(frame.pixels)))
            if len(pending) >= self._in_flight_frames:
                done, outputs = pending.popleft()
                yield done, self._upscaler.complete(outputs)
        for done, outputs in pending:
            yield done, self._upscaler.complete(outputs)

    # --- the result -------------------------------------------------------------------------------------

    def join(
        self, records: Sequence[SegmentRecord], part_start_s: float | None, comment: str | None
    ) -> tuple[str, ...]:
        """Write the task's output. part_start_s: where a part of the film begins. comment: of the result.

        Returns tokens for what it lacks of the source.
        """
        job, times = self._job, self._job.timeline
        cut = None
        if part_start_s is not None:
            start_s = float(times.pts[0] * times.time_base_s)
            cut = Cut(start_s, start_s + times.seconds)
        segments = [
            FinishedSegment(self._folder.path / record.file, record.pts)
            for record in records
            if record.file is not None
        ]
        lost = join(
            job.path,
            job.film,
            times,
            segments,
            self._work.task.output_path,
            self._work.task.options.format,
            cut,
            comment,
        )
        return (*self._reduced(), *lost)

    def _reduced(self) -> Iterator[str]:
        header = self._job.film.header
        if header.has_alpha:
            yield "alpha"
        if self._bits < header.bits:
            yield f"{header.bits}-bit"
        family = _family(self._job.film.pixel_format)
        if self._family < family:
            yield f"chroma-{family}"

    def notes(self, records: Sequence[SegmentRecord]) -> tuple[str, ...]:
        notes = [f"encoded by {self._spec.encoder.name} as {self._spec.pixel_format}"]
        if self._job.deinterlace:
            notes.append("deinterlaced by bwdif")
        damaged = sum(record.damaged for record in records)
        if damaged:
            notes.append(f"{damaged} of {len(self._job.timeline)} frames are damaged and were left out")
        if self._reader.resized:
            notes.append(f"{self._reader.resized} frames of another size were brought to the first one's")
        for record in records:
            notes += [note for note in record.notes if note not in notes]
        return tuple(notes)


class _Written:
    """A segment that is being encoded, on the encoder's thread; some frames at most wait for it."""

    def __init__(
        self,
        folder: PartsFolder,
        segment: Segment,
        spec: EncodingSpec,
        thread: ThreadPoolExecutor,
        resources: ExitStack,
    ) -> None:
        self._path = folder.file_of(segment.number, spec.suffix)
        self._spec = spec
        self._thread = thread
        self._resources = resources
        self._writer: SegmentWriter | None = None
        self._waiting: deque[Future[None]] = deque()
        self._pts: list[int] = []

    def add(self, frame: Frame, pixels: Pixels, duration: int) -> None:
        """Raises what an earlier frame failed with."""
        if self._writer is None:
            self._writer = self._resources.enter_context(SegmentWriter(self._path, self._spec))
            self._resources.callback(self._settle)
        self._pts.append(frame.pts)
        self._waiting.append(self._thread.submit(self._writer.write, pixels, frame.pts, duration))
        if len(self._waiting) > _AHEAD_FRAMES:
            self._waiting.popleft().result()

    def finish(self) -> tuple[str | None, tuple[int, ...]]:
        """The name of the file, None without any frame, and the times of its frames."""
        if self._writer is None:
            return None, ()
        while self._waiting:
            self._waiting.popleft().result()
        self._thread.submit(self._writer.finish).result()
        return self._path.name, tuple(self._pts)

    def _settle(self) -> None:
        """No thread uses the writer any more when it is closed."""
        for waiting in self._waiting:
            waiting.cancel()
        self._thread.submit(lambda: None).result()


def _family(pixel_format: str) -> str:
    """The chroma subsampling of a format, by FFmpeg's name of it; "444" for RGB."""
    for family in ("420", "422", "444"):
        if family in pixel_format:
            return family
    if pixel_format.startswith(("nv12", "nv21", "p010", "gray", "yuv41", "pal8", "p016")):
        return "420"
    return "422" if pixel_format.startswith(("yuyv", "uyvy", "nv16", "p210", "yvyu", "yuv440")) else "444"
