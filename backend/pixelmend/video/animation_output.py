"""Animated images, written again as what they were.

Writers hold no more than some frames.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from PIL import Image

from pixelmend.core.geometry import Size
from pixelmend.imaging.canvas import Pixels
from pixelmend.imaging.storage import storage_errors
from pixelmend.video.codecs import ANIMATION_QUALITY, APNG, AVIF, GIF, WEBP
from pixelmend.video.film import Film, FinishedSegment
from pixelmend.video.timeline import Timeline

FULL_COLOUR_QUALITY = 90
"""From this quality on an AVIF has its colour at full resolution, as one that does not move."""
AVIF_SPEED = 7
"""The slowest of the encoder's fast ones: 14 times as fast as 6. At quality 90 it takes half of the bytes for
2 dB less (46.7, four frames of a photograph in motion).
"""
WITH_PROFILE = frozenset({APNG.name, WEBP.name, AVIF.name})
"""Kinds that keep a colour profile."""


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
            if container == GIF.name or container == WEBP.name:
                _write_by_vips(part, files, shown_ms, film, container, quality or ANIMATION_QUALITY)
            else:
                _write_by_pillow(part, files, shown_ms, film, container, quality or ANIMATION_QUALITY)
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _write_by_pillow(
    path: Path, files: Sequence[Path], shown_ms: Sequence[int], film: Film, container: str, quality: int
) -> None:
    frames = _Frames(files)
    shown: dict[str, Any] = {"save_all": True, "duration": shown_ms, "icc_profile": film.icc}
    if container == APNG.name:
        frames.save(path, "PNG", loop=film.loop or 0, **shown)
    else:
        sampling = "4:4:4" if quality >= FULL_COLOUR_QUALITY else "4:2:0"
        frames.save(path, "AVIF", quality=quality, subsampling=sampling, speed=AVIF_SPEED, **shown)


def _write_by_vips(
    path: Path, files: Sequence[Path], shown_ms: Sequence[int], film: Film, container: str, quality: int
) -> None:
    """libvips takes the frames as the pages of one tall image, and reads them when it needs them."""
    import pyvips

    pages = [pyvips.Image.new_from_file(str(file), access="sequential") for file in files]
    strip = pyvips.Image.arrayjoin(pages, across=1).copy()
    strip.set_type(pyvips.GValue.gint_type, "page-height", pages[0].height)
    strip.set_type(pyvips.GValue.array_int_type, "delay", list(shown_ms))
    # It counts how often a GIF is shown; the file counts how often it is repeated.
    is_counted = container == GIF.name and film.loop != 0
    strip.set_type(pyvips.GValue.gint_type, "loop", (film.loop or 0) + is_counted)
    if film.icc is not None and container in WITH_PROFILE:
        strip.set_type(pyvips.GValue.blob_type, "icc-profile-data", film.icc)
    if container == GIF.name:
        strip.gifsave(str(path))
    else:
        strip.webpsave(str(path), Q=quality, lossless=quality == 100)


class _Frames(Image.Image):
    """Files that are one animated image for Pillow's writers. One of them is in memory at a time."""

    is_animated = True

    def __init__(self, files: Sequence[Path]) -> None:
        super().__init__()
        self._files = files
        self.n_frames = len(files)
        self._at = 0
        self.seek(0)

    def seek(self, frame: int) -> None:
        """Raises EOFError behind the last one."""
        if frame >= len(self._files):
            raise EOFError
        with Image.open(self._files[frame]) as image:
            image.load()
            self.im, self._mode, self._size = image.im, image.mode, image.size
        self._at = frame

    def tell(self) -> int:
        return self._at
