"""What a network demands of its tiles, and so how far a tile may be split."""

from dataclasses import dataclass

from pixelmend.engine.model_cache.call_size import SMALLEST_TILE_PX
from pixelmend.imaging.tiling import least_window_px


@dataclass(frozen=True, slots=True)
class Tiling:
    """All in input pixels. splittable: parts of a tile can be computed each
    by itself.
    """

    overlap_px: int
    blend_px: int
    multiple_of: int
    minimum_px: int
    minimum_core_px: int = 1
    splittable: bool = True

    @property
    def least_tile_px(self) -> int:
        """The smallest tile that another one may be split into."""
        least_px = least_window_px(self.overlap_px, self.multiple_of, self.minimum_px, self.minimum_core_px)
        return max(SMALLEST_TILE_PX, least_px)
