"""What is done with a film, and how its frames get into files."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from pixelmend.core.geometry import Rect, Size
from pixelmend.engine.model_cache.open_models import OpenModel
from pixelmend.imaging.canvas import Pixels
from pixelmend.imaging.tiling import TilePlan
from pixelmend.video.animation_output import FrameFolderWriter
from pixelmend.video.codecs import DEFAULT_QUALITY, Codec
from pixelmend.video.film import Film, Frame
from pixelmend.video.segments import EncodingSpec, SegmentWriter, choose_encoder
from pixelmend.video.timeline import Segment, Timeline

AHEAD_FRAMES = 2
"""Decoded before the device wants them, and upscaled before the encoder does."""


@dataclass(frozen=True, slots=True)
class FilmJob:
    """What is done with a film. timeline: that of the part that is asked for. part: what is kept of a frame
    as it is stored. size: of the result's frames, as they are stored. plan: the tiles of a frame. codec: None
    for an animation that stays one.
    """

    path: Path
    film: Film
    timeline: Timeline
    model: OpenModel
    plan: TilePlan
    margin_px: int
    part: Rect
    size: Size
    codec: Codec | None
    quality: int | None
    encoder: str
    deinterlace: bool
    calm: bool


def encoding_spec(job: FilmJob, codec: Codec, threads: int) -> EncodingSpec:
    """Raises InvalidParameter if no encoder works."""
    bits = job.film.header.bits
    name, _, _ = codec.pixel_format(job.film.chroma, bits)
    return EncodingSpec(
        codec=codec,
        encoder=choose_encoder(codec, name, job.encoder),
        pixel_format=name,
        quality=job.quality or DEFAULT_QUALITY,
        rows=job.part.size.scale(job.model.model.scale),
        size=job.size,
        bits=8 if bits == 8 else 16,
        rate=job.timeline.average_rate,
        time_base_s=job.timeline.time_base_s,
        origin=job.timeline.pts[0],
        colour=job.film.colour,
        aspect=job.film.aspect,
        hdr=job.film.hdr,
        threads=threads,
    )


class WrittenSegment:
    """A segment that is being encoded, on the encoder's thread; some frames at most wait for it."""

    def __init__(
        self,
        segment: Segment,
        open_writer: "Callable[[int], SegmentWriter | FrameFolderWriter]",
        thread: ThreadPoolExecutor,
        resources: ExitStack,
    ) -> None:
        self._number = segment.number
        self._open_writer = open_writer
        self._thread = thread
        self._resources = resources
        self._writer: SegmentWriter | FrameFolderWriter | None = None
        self._waiting: deque[Future[None]] = deque()

    def add(self, frame: Frame, pixels: Pixels, duration: int) -> None:
        """Raises what an earlier frame failed with."""
        if self._writer is None:
            self._writer = writer = self._open_writer(self._number)
            self._resources.enter_context(writer)
            self._resources.callback(self._settle)
        self._waiting.append(self._thread.submit(self._writer.write, pixels, frame.pts, duration))
        if len(self._waiting) > AHEAD_FRAMES:
            self._waiting.popleft().result()

    def finish(self) -> tuple[str | None, tuple[int, ...]]:
        """The name of the file, None without any frame, and the times of its frames as they lie there."""
        if self._writer is None:
            return None, ()
        while self._waiting:
            self._waiting.popleft().result()
        self._thread.submit(self._writer.finish).result()
        return self._writer.path.name, tuple(self._writer.pts)

    def _settle(self) -> None:
        """No thread uses the writer any more when it is closed."""
        for waiting in self._waiting:
            waiting.cancel()
        self._thread.submit(lambda: None).result()
