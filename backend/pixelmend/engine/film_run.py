"""One film's way: its frames are decoded, computed and encoded at the same time, segment by segment."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from pixelmend.engine.calm import Calm
from pixelmend.engine.device_loop import DeviceLoop
from pixelmend.engine.film_output import AHEAD_FRAMES, FilmJob, WrittenSegment, encoding_spec
from pixelmend.engine.frame_upscaler import FrameUpscaler, PendingFrame
from pixelmend.engine.steps.work import PipelineLimits, Work
from pixelmend.imaging.alpha import bleed_colour
from pixelmend.imaging.canvas import Pixels
from pixelmend.video.animation import AnimationReader
from pixelmend.video.animation_output import WITH_PROFILE, FrameFolderWriter, join_animation
from pixelmend.video.film import Film, FinishedSegment, Frame
from pixelmend.video.frames import FrameReader
from pixelmend.video.hdr import PARAMETERS
from pixelmend.video.inspection import inspect
from pixelmend.video.joining import join
from pixelmend.video.other_streams import Cut
from pixelmend.video.parts import PartsFolder, SegmentRecord
from pixelmend.video.segments import SegmentWriter
from pixelmend.video.timeline import Segment, Timeline

_MAX_IN_FLIGHT_FRAMES = 8


def film_parts(path: Path, start_s: float, seconds: float | None) -> tuple[Film, Timeline]:
    """The film, and the times of that part of it."""
    film = inspect(path)
    return film, film.timeline.part(start_s, seconds)


@dataclass(slots=True)
class _Tally:
    """What was counted up to the end of the last segment."""

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
        self._spec = None if job.codec is None else encoding_spec(job, job.codec, limits.threads)
        self._reader: FrameReader | AnimationReader
        if job.film.is_animation:
            self._reader = AnimationReader(
                job.path,
                job.film,
                job.timeline,
                keep_alpha=job.codec is None,
                keep_profile=work.task.options.format in WITH_PROFILE,
            )
        else:
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
                written = WrittenSegment(segment, self._open_writer, self._threads["encode"], resources)
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

    def _open_writer(self, number: int) -> "SegmentWriter | FrameFolderWriter":
        if self._spec is None:
            return FrameFolderWriter(self._folder.file_of(number, ".frames"), self._job.size)
        return SegmentWriter(self._folder.file_of(number, self._spec.suffix), self._spec)

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
        ahead = deque(thread.submit(next, frames, None) for _ in range(AHEAD_FRAMES))
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
        # A run that goes on after an interruption begins with nothing to average with.
        wants_calm = self._job.calm and not self._job.film.is_animation
        calm = Calm(self._job.model.model.scale) if wants_calm else None

        def completed(frame: Frame, outputs: PendingFrame) -> tuple[Frame, Pixels]:
            pixels = self._upscaler.complete(outputs)
            return frame, pixels if calm is None else calm(frame.pixels, pixels)

        for frame in frames:
            pixels = frame.pixels[self._job.part.as_slices()]
            pixels = pixels if pixels.shape[2] == 3 else bleed_colour(pixels)
            pending.append((replace(frame, pixels=pixels), self._upscaler.begin(pixels)))
            if len(pending) >= self._in_flight_frames:
                yield completed(*pending.popleft())
        for done, outputs in pending:
            yield completed(done, outputs)

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
        output, container = self._work.task.output_path, self._work.task.options.format
        if job.codec is None:
            join_animation(job.film, times, segments, output, container, job.quality)
            return job.film.not_read
        lost = join(
            job.path,
            job.film,
            times,
            segments,
            output,
            container,
            cut,
            comment,
        )
        return (*self._reduced(), *lost)

    def _reduced(self) -> Iterator[str]:
        header, codec = self._job.film.header, self._job.codec
        yield from self._job.film.not_read
        if header.has_alpha:
            yield "alpha"
        if codec is None:
            return
        family = self._job.film.chroma
        _, kept_family, kept_bits = codec.pixel_format(family, header.bits)
        if kept_bits < header.bits:
            yield f"{header.bits}-bit"
        if kept_family < family:
            yield f"chroma-{family}"
        hdr = self._job.film.hdr
        if hdr is not None:
            yield from hdr.dynamic
            is_told = self._spec is not None and self._spec.encoder.name in PARAMETERS
            if hdr.is_static and not is_told:
                yield "hdr10-metadata"

    def planned_notes(self) -> tuple[str, ...]:
        spec = self._spec
        notes = [] if spec is None else [f"encoded by {spec.encoder.name} as {spec.pixel_format}"]
        if self._job.deinterlace:
            notes.append("deinterlaced by bwdif")
        return tuple(notes)

    def fallback_notes(self, records: Sequence[SegmentRecord]) -> tuple[str, ...]:
        notes: list[str] = []
        damaged = sum(record.damaged for record in records)
        if damaged:
            notes.append(f"{damaged} of {len(self._job.timeline)} frames are damaged and were left out")
        if self._reader.resized:
            notes.append(f"{self._reader.resized} frames of another size were brought to the first one's")
        for record in records:
            notes += [note for note in record.notes if note not in notes]
        return tuple(notes)
