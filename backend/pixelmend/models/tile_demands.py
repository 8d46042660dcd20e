"""How networks whose receptive field is not known are tiled, by their architecture alone.

Their receptive field is unbounded or larger than a tile, so the outer pixels of a tile are wrong: by up to
140/255 at its edge with Real-ESRGAN's x4plus, by 12/255 in 32 px from it (docs/adr/0022-deep-overlaps.md).
"""

from dataclasses import dataclass

EXACT_ARCHITECTURES = ("Compact",)
"""Their receptive field is known once the weights were read: one pixel for each convolution."""

UNSHUFFLING_ARCHITECTURE = "ESRGAN"
"""It computes at a resolution that is lower by what its input has to be a multiple of."""


@dataclass(frozen=True, slots=True)
class TileDemands:
    """overlap_px: what is cut off each inner side of a tile. blend_px: the width of the band on both sides of
    the cut in which neighbours are mixed. minimum_core_px: the least that is left between the overlaps.
    """

    overlap_px: int
    blend_px: int
    minimum_core_px: int

    @property
    def least_tile_px(self) -> int:
        return 2 * self.overlap_px + self.minimum_core_px


DEEP_OVERLAP_PX, BLEND_PX = 32, 8


def deep_demands(architecture: str, multiple_of: int = 1, overlap_px: int | None = None) -> TileDemands:
    """architecture, multiple_of: of a network that is not one of EXACT_ARCHITECTURES. overlap_px: measured
    for its weights.
    """
    reduced = multiple_of if architecture == UNSHUFFLING_ARCHITECTURE else 1
    overlap_px = overlap_px or DEEP_OVERLAP_PX * reduced
    return TileDemands(overlap_px, BLEND_PX, 3 * overlap_px)


def least_tile_px(architecture: str | None, overlap_px: int | None) -> int:
    """A tile that is smaller is refused before the model is opened; 1 if that is not known yet."""
    if architecture is None or architecture in EXACT_ARCHITECTURES:
        return 1
    return deep_demands(architecture, overlap_px=overlap_px).least_tile_px
