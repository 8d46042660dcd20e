"""Which tiles to compute. Pure arithmetic: no pixels are touched.

A tile reads a `window` of the (padded) image and answers for its `core`; the cores partition the image.
All windows of a plan have one shape. Between neighbouring windows lie at least `2 * overlap_px` shared
pixels and the cut runs through their middle, so every core pixel is at least `overlap_px` away from a
window edge that is not an image edge. Where `overlap_px` is at least the network's receptive field
radius, the core of a tile is therefore exactly what the untiled network would have produced.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from pixelmend.errors import InvalidParameter
from pixelmend.imaging.geometry import Rect, Size, Span


@dataclass(frozen=True, slots=True)
class AxisTile:
    """One tile along one axis. `paste` is `core` widened by the blend on each inner side."""

    window: Span
    core: Span
    paste: Span


@dataclass(frozen=True, slots=True)
class Tile:
    index: int
    column: AxisTile
    row: AxisTile

    @property
    def window(self) -> Rect:
        return Rect(self.column.window, self.row.window)

    @property
    def core(self) -> Rect:
        return Rect(self.column.core, self.row.core)


@dataclass(frozen=True, slots=True)
class TilePlan:
    """Tiles in row-major order. `padded` is `size` rounded up to what the network accepts."""

    size: Size
    padded: Size
    tile: Size
    overlap_px: int
    blend_px: int
    columns: tuple[AxisTile, ...]
    rows: tuple[AxisTile, ...]

    def __len__(self) -> int:
        return len(self.columns) * len(self.rows)

    def __getitem__(self, index: int) -> Tile:
        if not 0 <= index < len(self):
            raise IndexError(index)
        row, column = divmod(index, len(self.columns))
        return Tile(index, self.columns[column], self.rows[row])

    def __iter__(self) -> Iterator[Tile]:
        return (self[index] for index in range(len(self)))


def plan_tiles(
    size: Size,
    *,
    tile_px: int,
    overlap_px: int,
    multiple_of: int = 1,
    minimum_px: int = 1,
    blend_px: int = 0,
) -> TilePlan:
    """Cover `size` with windows of at most `tile_px` a side.

    `multiple_of` and `minimum_px` are the network's demands on its input; window positions are aligned to
    `multiple_of` too, since a network that unshuffles pixels depends on their phase. `blend_px` is half the
    width of the band in which neighbouring tiles are mixed; 0 cuts hard, which is exact where the overlap
    covers the receptive field.

    Raises InvalidParameter if a window of `tile_px` is too small for the network or leaves no core after its
    overlaps.
    """
    if blend_px > overlap_px:
        raise InvalidParameter(f"blend_px={blend_px} exceeds overlap_px={overlap_px}")
    widths = _plan_axis(size.width, tile_px, overlap_px, multiple_of, minimum_px, blend_px)
    heights = _plan_axis(size.height, tile_px, overlap_px, multiple_of, minimum_px, blend_px)
    return TilePlan(
        size=size,
        padded=Size(widths[-1].window.stop, heights[-1].window.stop),
        tile=Size(widths[0].window.length, heights[0].window.length),
        overlap_px=overlap_px,
        blend_px=blend_px,
        columns=widths,
        rows=heights,
    )


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple


def _plan_axis(
    length: int, tile: int, overlap: int, multiple: int, minimum: int, blend: int
) -> tuple[AxisTile, ...]:
    padded = _round_up(max(length, minimum), multiple)
    longest = tile // multiple * multiple
    if padded <= longest:
        return (AxisTile(Span(0, padded), Span(0, length), Span(0, length)),)
    least = _round_up(minimum, multiple)
    # Both overlaps together, as a multiple so that aligned starts still leave that much.
    shared = _round_up(2 * overlap, multiple)
    needed = max(least, shared + multiple)
    if longest < needed:
        why = "is below the network's minimum" if longest < least else "leaves nothing between its overlaps"
        raise InvalidParameter(f"tile={tile} px {why}; this model needs at least {needed} px")
    count = -(-(padded - shared) // (longest - shared))
    # The smallest window that still needs `count` tiles: nothing is computed only to be thrown away.
    window = min(longest, max(least, _round_up(-(-(padded - shared) // count) + shared, multiple)))
    slack = padded - window
    starts = [slack * i // (count - 1) // multiple * multiple for i in range(count)]
    starts[-1] = slack
    cuts = [0] + [(a + window + b) // 2 for a, b in pairwise(starts)] + [length]
    # Three tiles must never mix in one pixel, so a blend takes at most half of the narrowest core.
    blend = min([blend, *((b - a) // 2 for a, b in pairwise(cuts))])
    tiles = []
    for i, start in enumerate(starts):
        core = Span(cuts[i], cuts[i + 1])
        paste = Span(
            core.start - (blend if i > 0 else 0),
            core.stop + (blend if i < count - 1 else 0),
        )
        tiles.append(AxisTile(Span(start, start + window), core, paste))
    return tuple(tiles)
