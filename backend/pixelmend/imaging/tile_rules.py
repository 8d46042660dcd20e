"""The tiles that a network gets, by its demands, its speed, and what is known to fit."""

from dataclasses import dataclass

from pixelmend.core.geometry import Size
from pixelmend.imaging.margin import EDGE_MARGIN_PX, with_margin
from pixelmend.imaging.tiling import TilePlan, least_window_px, plan_cheapest, plan_tiles


@dataclass(frozen=True, slots=True)
class WidthCost:
    """The time that a pixel takes in a tile, by the tile's width, as a multiple of what is usual.

    `favoured` widths, first to last, cost `favoured_cost`; of the rest, those that are no multiple of
    `aligned_to` cost `unaligned_cost`.
    """

    favoured: tuple[int, int] | None = None
    favoured_cost: float = 1.0
    aligned_to: int = 1
    unaligned_cost: float = 1.0

    def __call__(self, width_px: int) -> float:
        if self.favoured is not None and self.favoured[0] <= width_px <= self.favoured[1]:
            return self.favoured_cost
        return self.unaligned_cost if width_px % self.aligned_to else 1.0


@dataclass(frozen=True, slots=True)
class TileRules:
    """All in input pixels; as in `plan_tiles`. largest_tile_px: known to fit; None if nothing failed."""

    overlap_px: int
    blend_px: int = 0
    multiple_of: int = 1
    minimum_px: int = 1
    minimum_core_px: int = 1
    largest_tile_px: int | None = None
    cost: WidthCost = WidthCost()

    def plan(
        self,
        image: Size,
        budget_edge_px: int,
        tile_px: int | None = None,
        margin_px: int = EDGE_MARGIN_PX,
    ) -> TilePlan:
        """Tiles of the mirrored image: of the edge that was asked for, or else those that take the least
        time.

        budget_edge_px: either way, no larger than a square of this edge. margin_px: of the mirror. Raises
        InvalidParameter if `tile_px` is too small for the network.
        """
        size = with_margin(image, margin_px)
        if tile_px or self.largest_tile_px:
            # Neither what fits nor the budget makes a tile smaller than the network needs.
            least_px = least_window_px(
                self.overlap_px, self.multiple_of, self.minimum_px, self.minimum_core_px
            )
            bounds_px = [max(least_px, edge) for edge in (self.largest_tile_px, budget_edge_px) if edge]
            edges_px = [*bounds_px, *([tile_px] if tile_px else [])]
            return plan_tiles(
                size,
                tile_px=min(edges_px),
                overlap_px=self.overlap_px,
                multiple_of=self.multiple_of,
                minimum_px=self.minimum_px,
                blend_px=self.blend_px,
                minimum_core_px=self.minimum_core_px,
            )
        return plan_cheapest(
            size,
            budget_px=budget_edge_px**2,
            cost=self.cost,
            overlap_px=self.overlap_px,
            multiple_of=self.multiple_of,
            minimum_px=self.minimum_px,
            blend_px=self.blend_px,
            minimum_core_px=self.minimum_core_px,
        )
