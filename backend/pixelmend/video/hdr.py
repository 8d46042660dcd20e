"""HDR10's static metadata: for which display a film was graded, and how bright it gets.

SMPTE ST 2086 (mastering display) and CTA-861.3 (content light level). It says how a display should map the
film's values, which stay as they are, so it holds for the upscaled film as well.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

Point = tuple[Fraction, Fraction]
"""x and y of CIE 1931."""

_STRUCT = struct.Struct("=22i")
"""FFmpeg's AVMasteringDisplayMetadata: ten rational numbers, then whether it has primaries and luminance."""
_LIGHT = struct.Struct("=2I")
_WHOLE_CHROMATICITY = 50_000
_WHOLE_LUMINANCE = 10_000
"""Encoders of H.264 and HEVC count in these parts of 1 and of a candela per square metre."""
PARAMETERS: Mapping[str, str] = MappingProxyType(
    {"libx264": "x264-params", "libx265": "x265-params", "libsvtav1": "svtav1-params"}
)
"""Encoders that are told by parameters of their own, and FFmpeg's option for those."""


@dataclass(frozen=True, slots=True)
class MasteringDisplay:
    """primaries: of red, green and blue. Luminances in candela per square metre."""

    primaries: tuple[Point, Point, Point]
    white: Point
    min_luminance: Fraction
    max_luminance: Fraction


@dataclass(frozen=True, slots=True)
class LightLevel:
    """The brightest pixel and the brightest frame on average, in candela per square metre."""

    max_content: int
    max_frame_average: int


@dataclass(frozen=True, slots=True)
class HdrMetadata:
    """None for what the film does not tell. dynamic: names of what it tells frame by frame, which is lost."""

    display: MasteringDisplay | None = None
    light: LightLevel | None = None
    dynamic: tuple[str, ...] = ()

    @property
    def is_static(self) -> bool:
        return self.display is not None or self.light is not None

    def parameters(self, encoder: str) -> list[str]:
        """What an encoder of PARAMETERS is told, as `name=value`."""
        names = {
            "libx264": ("mastering-display", "cll"),
            "libx265": ("master-display", "max-cll"),
            "libsvtav1": ("mastering-display", "content-light"),
        }[encoder]
        told = []
        if self.display is not None:
            told.append(f"{names[0]}={_display_text(self.display, is_decimal=encoder == 'libsvtav1')}")
        if self.light is not None:
            told.append(f"{names[1]}={self.light.max_content},{self.light.max_frame_average}")
        return told


def parse_display(data: bytes) -> MasteringDisplay | None:
    """data: as FFmpeg's frames carry it. None if it is incomplete or makes no sense."""
    if len(data) < _STRUCT.size:
        return None
    *numbers, has_primaries, has_luminance = _STRUCT.unpack_from(data)
    if not has_primaries or not has_luminance or any(number <= 0 for number in numbers[1::2]):
        return None
    values = [Fraction(*pair) for pair in zip(numbers[::2], numbers[1::2], strict=True)]
    red, green, blue, white = ((values[n], values[n + 1]) for n in (0, 2, 4, 6))
    low, high = values[8:]
    if not all(0 <= value <= 1 for value in values[:8]) or not 0 <= low < high:
        return None
    return MasteringDisplay((red, green, blue), white, low, high)


def parse_light(data: bytes) -> LightLevel | None:
    """data: as FFmpeg's frames carry it. None if it tells nothing."""
    if len(data) < _LIGHT.size:
        return None
    level = LightLevel(*_LIGHT.unpack_from(data))
    return level if level.max_content or level.max_frame_average else None


def _display_text(display: MasteringDisplay, *, is_decimal: bool) -> str:
    def number(value: Fraction, whole: int) -> str:
        return f"{float(value):.6g}" if is_decimal else str(round(value * whole))

    def point(name: str, at: Point) -> str:
        return f"{name}({','.join(number(value, _WHOLE_CHROMATICITY) for value in at)})"

    red, green, blue = display.primaries
    luminances = (number(value, _WHOLE_LUMINANCE) for value in (display.max_luminance, display.min_luminance))
    points = point("G", green) + point("B", blue) + point("R", red) + point("WP", display.white)
    return f"{points}L({','.join(luminances)})"
