"""A film's values, which those who read and those who write it share."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from pixelmend.imaging.canvas import Pixels
from pixelmend.video.colour import ColourTags
from pixelmend.video.header import VideoHeader
from pixelmend.video.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Film:
    """index: of the stream among all. pixel_format: as FFmpeg calls it. aspect: of a pixel, None if the file
    does not tell. loop: of an animation: how often it is shown, 0 for ever.
    """

    header: VideoHeader
    timeline: Timeline
    colour: ColourTags
    index: int
    pixel_format: str
    aspect: Fraction | None
    loop: int | None = None

    @property
    def is_animation(self) -> bool:
        return self.index < 0


@dataclass(frozen=True, slots=True)
class Frame:
    """index: its number in the timeline. pixels: (H, W, C), uint8 or uint16, as stored: not turned."""

    index: int
    pts: int
    pixels: Pixels


@dataclass(frozen=True, slots=True)
class FinishedSegment:
    """pts: the times of its frames, ascending."""

    path: Path
    pts: tuple[int, ...]
