"""Animated images as films, read frame by frame.

Pillow composes the frames of all kinds, with their transparency; FFmpeg does so for two of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from pixelmend.core.errors import CorruptImage, CorruptVideo, UnsupportedFormat, UnsupportedVideo
from pixelmend.core.geometry import Size
from pixelmend.imaging.boundary import reading
from pixelmend.imaging.canvas import Pixels
from pixelmend.imaging.colour_profile import profile_for
from pixelmend.imaging.formats import SNIFF_BYTES, format_registry
from pixelmend.imaging.metadata import usable_icc
from pixelmend.imaging.storage import mapped
from pixelmend.video.codecs import APNG, AVIF, GIF, WEBP
from pixelmend.video.colour import ColourTags
from pixelmend.video.film import Film, Frame
from pixelmend.video.header import VideoHeader, VideoLimits, check_frame_size
from pixelmend.video.timeline import Timeline

_KINDS = {"GIF": GIF, "PNG": APNG, "WEBP": WEBP, "AVIF": AVIF}
_BASE_S = Fraction(1, 1000)
_SRGB = ColourTags(matrix=1, primaries=1, transfer=13)
_CHROMA = "420"
"""As a film: most players show no colour at full resolution, which an animation has."""
UNTOLD_MS = 100
"""How long browsers show a frame that tells no time, or less than MIN_MS."""
MIN_MS = 11
ONE_FRAME = "the file has one frame and is no film: images are for the task upscale"
"""What is said of an image that does not move."""


def begins_like_animation(head: bytes) -> bool:
    """head: the first SNIFF_BYTES bytes of a file."""
    if head[4:8] == b"ftyp":
        return b"avis" in head[8 : int.from_bytes(head[:4], "big")]
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
        icc, bits = _stored(path, image)
        not_read = tuple(_not_read(image, bits))
        loop = _loop(image)
        return Film(
            header, timeline, _SRGB, _CHROMA, None, is_animation=True, loop=loop, icc=icc, not_read=not_read
        )


def _loop(image: Image.Image) -> int | None:
    """How often it is shown, 0 for ever; None for a GIF that does not tell, which is shown once."""
    loop = image.info.get(
        "loop", 0 if image.format == "AVIF" else None
    )  # Pillow does not read it from an AVIF
    return None if loop is None else int(loop)


def _not_read(image: Image.Image, bits: int) -> Iterator[str]:
    """As for a still image: what is not read of it. image: at its last frame."""
    info = image.info
    if bits > 8:
        yield "16-bit"
    if info.get("exif"):
        yield "exif"
    if info.get("xmp") or "XML:com.adobe.xmp" in info:
        yield "xmp"
    if info.get("comment"):
        yield "comment"
    if set(getattr(image, "text", ())) - {"XML:com.adobe.xmp"}:
        yield "text"


def _stored(path: Path, image: Image.Image) -> tuple[bytes | None, int]:
    """The profile by which RGB pixels of the file are shown, as for a still image; None for sRGB. The bits of
    a sample.

    Raises CorruptVideo.
    """
    if image.format == "GIF":  # viewers take its colours for sRGB
        return None, 8
    embedded = image.info.get("icc_profile")
    with mapped(path) as data:
        image_format = format_registry().beginning_with(data[:SNIFF_BYTES])
        image_reading = None if image_format is None else image_format.reading
        assert image_reading is not None, "all animations are images"
        try:
            header = image_reading.read_header(data)
        except (CorruptImage, UnsupportedFormat) as error:
            raise CorruptVideo(error.message) from error
    colour = header.colour
    if usable_icc(embedded, 3) and not (colour is not None and image_reading.code_points_first):
        return embedded, header.bits
    return None if colour is None else profile_for(colour, 3), header.bits


class AnimationReader:
    """As `FrameReader`. Frames are RGBA if one of the film's is transparent and `keep_alpha`, else RGB on
    white; in the film's own colours if `keep_profile`, else in sRGB.
    """

    def __init__(
        self, path: Path, film: Film, timeline: Timeline, *, keep_alpha: bool, keep_profile: bool
    ) -> None:
        self._path = path
        self._film = film
        self._timeline = timeline
        self._keep_alpha = keep_alpha and film.header.has_alpha
        self._to_srgb = None if film.icc is None or keep_profile else _to_srgb(film.icc)
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
        if self._to_srgb is not None:
            ImageCms.applyTransform(image, self._to_srgb, inPlace=True)
        if self._keep_alpha:
            return np.asarray(image)
        white = Image.new("RGBA", image.size, "white")
        return np.asarray(Image.alpha_composite(white, image).convert("RGB"))


def _to_srgb(icc: bytes) -> ImageCms.ImageCmsTransform | None:
    """None for a profile that cannot be used: browsers show such pictures as sRGB."""
    try:
        return ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(BytesIO(icc)),
            ImageCms.createProfile("sRGB"),
            "RGBA",
            "RGBA",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (OSError, ImageCms.PyCMSError):
        return None
