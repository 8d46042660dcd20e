"""A film's values, which those who read and those who write it share."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from pixelmend.imaging.canvas import Pixels
from pixelmend.video.colour import ColourTags
from pixelmend.video.hdr import HdrMetadata
from pixelmend.video.header import VideoHeader
from pixelmend.video.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Film:
    """chroma: how its colour is sampled, one of codecs.FAMILIES. aspect: of a pixel, None if the file does
    not tell. loop: how often an animation is shown, 0 for ever. icc: the profile of an animation's colours;
    None for sRGB. not_read: tokens for what an animation has and no result keeps.
    """

    header: VideoHeader
    timeline: Timeline
    colour: ColourTags
    chroma: str
    aspect: Fraction | None
    is_animation: bool = False
    loop: int | None = None
    icc: bytes | None = None
    hdr: HdrMetadata | None = None
    not_read: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """index: its number in the timeline. pixels: (H, W, C), uint8 or uint16, as stored: not turned."""

    index: int
    pts: int
    pixels: Pixels


@dataclass(frozen=True, slots=True)
class FinishedSegment:
    """pts: the times of its frames, in the order in which they lie in the file."""

    path: Path
    pts: tuple[int, ...]
