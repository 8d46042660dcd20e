"""Animated images as films: read frame by frame, and written again as what they were.

Pillow composes the frames of all three kinds, with their transparency; FFmpeg does so for two of them.
Writers hold no more than some frames.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import numpy as np
from PIL import Image

from pixelmend.core.errors import CorruptVideo, UnsupportedVideo
from pixelmend.core.geometry import Size
from pixelmend.imaging.boundary import reading
from pixelmend.imaging.canvas import Pixels
from pixelmend.imaging.storage import storage_errors
from pixelmend.video.codecs import APNG, GIF, WEBP
from pixelmend.video.colour import ColourTags
from pixelmend.video.film import Film, FinishedSegment, Frame
from pixelmend.video.header import VideoHeader, VideoLimits, check_frame_size
from pixelmend.video.timeline import Timeline

_KINDS = {"GIF": GIF, "PNG": APNG, "WEBP": WEBP}
_BASE_S = Fraction(1, 1000)
_SRGB = ColourTags(matrix=1, primaries=1, transfer=13)
_CHROMA = "420"
"""As a film: most players show no colour at full resolution, which an animation has."""
UNTOLD_MS = 100
"""How long browsers show a frame that tells no time, or less than MIN_MS."""
MIN_MS = 11
DEFAULT_QUALITY = 90
ONE_FRAME = "the file has one frame and is no film: images are for the task upscale"
"""What is said of an image that does not move."""


def begins_like_animation(head: bytes) -> bool:
    """head: the first 16 bytes of a file, or more."""
    return head.startswith((b"GIF8", b"\x89PNG")) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Raises CorruptVideo, also for what goes wrong later."""
    Image.MAX_IMAGE_PIXELS = None  # our own limits are held instead, which name the setting
    with reading("the animation", CorruptVideo), Image.open(path, formats=tuple(_KINDS)) as image:
        yield image


def inspect_animation(path: Path, limits: VideoLimits | None = None) -> Film:
    """limits: of a frame's size, held before one is decoded.

    Raises UnsupportedVideo for an image that does not move, CorruptVideo, VideoTooLarge.
    """
    with _opened(path) as image:
        if limits is not None:
            check_frame_size(Size(*image.size), limits)
        kind = _KINDS[image.format or ""]
        frames = getattr(image, "n_frames", 1)
        if frames < 2:
            raise UnsupportedVideo(ONE_FRAME)
        durations, has_alpha = [], False
        for number in range(frames):
            image.seek(number)
            image.load()
            told_ms = int(image.info.get("duration") or 0)
            durations.append(told_ms if told_ms >= MIN_MS else UNTOLD_MS)
            has_alpha = has_alpha or image.has_transparency_data
        pts = [sum(durations[:number]) for number in range(frames)]
        timeline = Timeline(_BASE_S, tuple(pts), tuple(durations), tuple(pts[:1]))
        size = Size(*image.size)
        header = VideoHeader(kind.name, kind.name, size, 0, frames, timeline.seconds, 8, has_alpha)
        return Film(header, timeline, _SRGB, _CHROMA, None, is_animation=True, loop=_loop(image))


def _loop(image: Image.Image) -> int | None:
    """How often it is shown, 0 for ever; None for a GIF that does not tell, which is shown once."""
    loop = image.info.get("loop")
    return None if loop is None else int(loop)


class AnimationReader:
    """As `FrameReader`. Frames are RGBA if one of the film's is transparent and `keep_alpha`, else RGB on
    white.
    """

    def __init__(self, path: Path, film: Film, timeline: Timeline, *, keep_alpha: bool) -> None:
        self._path = path
        self._film = film
        self._timeline = timeline
        self._keep_alpha = keep_alpha and film.header.has_alpha
        self.damaged = 0
        self.resized = 0

    def frames(self, start: int) -> Iterator[Frame]:
        """From the frame with the number `start` on. Raises CorruptVideo if the file cannot be read."""
        with _opened(self._path) as image:
            for index in range(start, len(self._timeline)):
                pts = self._timeline.pts[index]
                number = self._film.timeline.index_of(pts)
                assert number is not None, "a part's frames are the film's"
                image.seek(number)
                yield Frame(index, pts, self._pixels(image.convert("RGBA")))

    def _pixels(self, image: Image.Image) -> Pixels:
        if self._keep_alpha:
            return np.asarray(image)
        white = Image.new("RGBA", image.size, "white")
        return np.asarray(Image.alpha_composite(white, image).convert("RGB"))


class FrameFolderWriter:
    """As `SegmentWriter`: a folder of PNG files, complete or absent."""

    def __init__(self, path: Path, size: Size) -> None:
        self.path = path
        self.pts: list[int] = []
        self._part = path.with_name(path.name + ".part")
        self._size = size
        with storage_errors(path):
            for folder in (path, self._part):
                shutil.rmtree(folder, ignore_errors=True)
            self._part.mkdir()

    def write(self, pixels: Pixels, pts: int, duration: int) -> None:
        """Raises StorageFull."""
        image = Image.fromarray(pixels)
        if image.size != (self._size.width, self._size.height):
            # Colour counts by its opacity, so that what is transparent leaves no fringe.
            mode = image.mode
            weighted = image.convert("RGBa") if mode == "RGBA" else image
            wanted = (self._size.width, self._size.height)
            image = weighted.resize(wanted, Image.Resampling.LANCZOS).convert(mode)
        with storage_errors(self.path):
            image.save(self._part / f"{len(self.pts):05d}.png", compress_level=1)
        self.pts.append(pts)

    def finish(self) -> None:
        """Raises StorageFull."""
        with storage_errors(self.path):
            self._part.replace(self.path)

    def __enter__(self) -> "FrameFolderWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._part, ignore_errors=True)


def join_animation(
    film: Film,
    timeline: Timeline,
    segments: Sequence[FinishedSegment],
    target: Path,
    container: str,
    quality: int | None,
) -> None:
    """Write `target`, complete or not at all. container: the name of an animated kind. Raises StorageFull."""
    part = target.with_name(target.name + ".part")
    durations = dict(zip(timeline.pts, timeline.durations, strict=True))
    shown_ms = [durations[pts] for segment in segments for pts in segment.pts]
    files = [file for segment in segments for file in sorted(segment.path.glob("*.png"))]
    try:
        with storage_errors(target):
            if container == APNG.name:
                _write_apng(part, files, shown_ms, film.loop or 0)
            else:
                _write_by_vips(part, files, shown_ms, film.loop, container, quality or DEFAULT_QUALITY)
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _write_apng(path: Path, files: Sequence[Path], shown_ms: Sequence[int], loop: int) -> None:
    with Image.open(files[0]) as first:
        first.save(path, "PNG", save_all=True, append_images=_Images(files[1:]), duration=shown_ms, loop=loop)


def _write_by_vips(
    path: Path, files: Sequence[Path], shown_ms: Sequence[int], loop: int | None, container: str, quality: int
) -> None:
    """libvips takes the frames as the pages of one tall image, and reads them when it needs them."""
    import pyvips

    pages = [pyvips.Image.new_from_file(str(file), access="sequential") for file in files]
    strip = pyvips.Image.arrayjoin(pages, across=1).copy()
    strip.set_type(pyvips.GValue.gint_type, "page-height", pages[0].height)
    strip.set_type(pyvips.GValue.array_int_type, "delay", list(shown_ms))
    # It counts how often a GIF is shown; the file counts how often it is repeated.
    is_counted = container == GIF.name and loop != 0
    strip.set_type(pyvips.GValue.gint_type, "loop", (loop or 0) + is_counted)
    if container == GIF.name:
        strip.gifsave(str(path))
    else:
        strip.webpsave(str(path), Q=quality, lossless=quality == 100)


class _Images:
    """Images that are opened one after another, each time that they are gone through: PNG's writer does so
    twice.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files

    def __iter__(self) -> Iterator[Image.Image]:
        for path in self._files:
            with Image.open(path) as image:
                yield image
