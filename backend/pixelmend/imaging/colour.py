"""What a file says of its colours other than by an ICC profile."""

from dataclasses import dataclass

Chromaticities = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
"""x and y of white, red, green and blue."""


@dataclass(frozen=True, slots=True)
class Cicp:
    """Code points of ITU-T H.273 for primaries and transfer. The matrix is not kept: pixels here are RGB."""

    primaries: int
    transfer: int


@dataclass(frozen=True, slots=True)
class Colour:
    """At most one of: code points, or the exponent and chromaticities of PNG's older chunks.

    file_gamma: the exponent of encoding, as PNG's gAMA has it (1/2.2 for an ordinary screen).
    """

    cicp: Cicp | None = None
    file_gamma: float | None = None
    chromaticities: Chromaticities | None = None
