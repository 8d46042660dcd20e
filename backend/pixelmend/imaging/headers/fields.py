"""What a header reader finds, and the checks that all of them share."""

from dataclasses import dataclass

from pixelmend.core.errors import CorruptImage
from pixelmend.core.geometry import Size
from pixelmend.imaging.colour import Colour

MAX_SEGMENTS = 65_536
"""Chunks, markers or blocks that one header may hold. Honest files stay far below; a file made of
nothing but tiny segments would otherwise keep a reader busy for seconds."""


@dataclass(frozen=True, slots=True)
class HeaderFields:
    """Facts from a header, decoded pixels untouched.

    size: as stored, before orientation. orientation: EXIF value 1-8. bits: 8 or 16 per sample, as decoded (a
    1-bit PNG decodes to 8, a 10-bit AVIF to 16). frames: if the format stores no count, 2 stands for "more
    than one". dpi: horizontal and vertical pixels per inch if the file says so. coded: the least size that
    has to be decoded, if a crop in the file makes `size` smaller than that. colour: what the file says of its
    colours besides an ICC profile. details: what else the format's own decoder needs, so that it need not
    parse the header again.
    """

    size: Size
    orientation: int = 1
    grey: bool = False
    has_alpha: bool = False
    bits: int = 8
    frames: int = 1
    dpi: tuple[float, float] | None = None
    coded: Size | None = None
    colour: Colour | None = None
    details: object = None


def checked_size(width: int, height: int, limit: int = 2**31 - 1) -> Size:
    """A size whose sides are in 1..limit-1. Raises CorruptImage."""
    if not (0 < width < limit and 0 < height < limit):
        raise CorruptImage(f"the header claims {width}x{height} px")
    return Size(width, height)


def checked_dpi(horizontal: float, vertical: float) -> tuple[float, float] | None:
    """The pair if it is a believable resolution, else None: 0 and 10^9 dpi are noise, not facts."""
    if 1.0 <= horizontal <= 100_000.0 and 1.0 <= vertical <= 100_000.0:
        return horizontal, vertical
    return None
