"""What a film's file tells before anything of it is decoded."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pixelmend.core.config import Settings
from pixelmend.core.errors import CorruptVideo, VideoTooLarge
from pixelmend.core.geometry import Size


@dataclass(frozen=True, slots=True)
class VideoHeader:
    """container: as the demuxer calls it. size: of a frame as stored. rotation_deg: by how much a player
    turns it, counter-clockwise. frames: of the part that is asked for. seconds: their time. bits: of a
    sample.
    """

    container: str
    codec: str
    size: Size
    rotation_deg: int
    frames: int
    seconds: float
    bits: int
    has_alpha: bool = False
    is_interlaced: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "VideoHeader":
        return cls(**{**values, "size": Size(**values["size"])})

    @property
    def shown_size(self) -> Size:
        """The size of a frame as a player shows it."""
        return self.size.transposed() if self.rotation_deg % 180 else self.size


@dataclass(frozen=True, slots=True)
class VideoLimits:
    """max_pixels, max_side: of a frame. max_frames, max_s: of a film."""

    max_pixels: int = 50_000_000
    max_side: int = 16_384
    max_frames: int = 1_000_000
    max_s: float = 6 * 3600.0


def check_frame_size(size: Size, limits: VideoLimits) -> None:
    """Raises VideoTooLarge naming the value and the setting."""
    if size.pixels > limits.max_pixels:
        raise VideoTooLarge(f"frames of {size} px exceed max_input_pixels={limits.max_pixels}")
    if max(size.width, size.height) > limits.max_side:
        raise VideoTooLarge(f"frames of {size} px exceed max_input_side_px={limits.max_side}")


def check_header(header: VideoHeader, limits: VideoLimits) -> None:
    """Raises VideoTooLarge naming the value and the setting, CorruptVideo for a film without frames."""
    if header.frames == 0:
        raise CorruptVideo("the film has no frames")
    check_frame_size(header.size, limits)
    if header.frames > limits.max_frames:
        raise VideoTooLarge(f"{header.frames} frames exceed max_video_frames={limits.max_frames}")
    if header.seconds > limits.max_s:
        raise VideoTooLarge(f"{header.seconds:.0f} s exceed max_video_s={limits.max_s:g}")


def video_limits(settings: Settings) -> VideoLimits:
    return VideoLimits(
        settings.max_input_pixels,
        settings.max_input_side_px,
        settings.max_video_frames,
        settings.max_video_s,
    )
