"""How a film's values are to be understood as colours. They are kept, and told again in the result."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

UNSPECIFIED = 2
"""In ITU-T H.273, from which all numbers here are: what the file does not tell."""

MATRICES: Mapping[int, str] = MappingProxyType(
    {1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc", 10: "bt2020c"}
)
"""The matrices that can be computed, as the filters call them."""
TRANSFERS: Mapping[int, str] = MappingProxyType({16: "PQ", 18: "HLG"})
"""Transfers of high dynamic range."""
LOCATIONS = ("left", "center", "topleft", "top", "bottomleft", "bottom")
"""Where chroma samples are, by the numbers of H.264's `chroma_sample_loc_type`."""


@dataclass(frozen=True, slots=True)
class ColourTags:
    """Numbers of ITU-T H.273. full_range: None if the file does not tell, which means limited.

    chroma_location: a number of LOCATIONS, None if the file does not tell.
    """

    matrix: int = UNSPECIFIED
    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    full_range: bool | None = None
    chroma_location: int | None = None

    @property
    def matrix_name(self) -> str:
        """The matrix to compute with, for both ways. What is not told is taken as BT.601, and is not told
        in the result either.
        """
        return MATRICES.get(self.matrix, "smpte170m")

    @property
    def range_name(self) -> str:
        return "full" if self.full_range else "limited"

    @property
    def location_name(self) -> str:
        return LOCATIONS[self.chroma_location or 0]
