"""Plans the tiles to compute. Pure arithmetic: no pixels are touched.

A tile reads a `window` of the (padded) image and answers for its `core`; the cores partition the image.
All windows of a plan have one shape. Between neighbouring windows lie at least `2 * overlap_px` shared
pixels and the cut runs through their middle, so every core pixel is at least `overlap_px` away from a
window edge that is not an image edge. If `overlap_px` is at least the network's receptive field
radius, the core of a tile is therefore exactly what the untiled network would have produced.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from pixelmend.core.errors import InvalidParameter
from pixelmend.core.geometry import Rect, Size, Span

_WIDTH_STEP_PX = 8
_WIDEST_PX = 1024
"""Widths that `plan_cheapest` tries; finer steps and wider windows change its result by less than 1 %."""


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
    minimum_core_px: int = 1,
) -> TilePlan:
    """Cover `size` with windows of at most `tile_px` a side.

    `multiple_of` and `minimum_px` are the network's demands on its input; window positions are aligned to
    `multiple_of` too, since a network that unshuffles pixels depends on their phase. `blend_px` is half the
    width of the band in which neighbouring tiles are mixed; 0 cuts hard, which is exact if the overlap
    covers the receptive field. `minimum_core_px`: the least that has to be left between the overlaps of an
    image that is cut; a network whose receptive field is larger than its overlap is less exact in small
    tiles.

    Raises InvalidParameter if a window of `tile_px` is too small for the network or leaves no core after its
    overlaps.
    """
    window = Size(
        _narrowest_window(size.width, tile_px, overlap_px, multiple_of, minimum_px, minimum_core_px),
        _narrowest_window(size.height, tile_px, overlap_px, multiple_of, minimum_px, minimum_core_px),
    )
    return _plan_windows(size, window, overlap_px, multiple_of, blend_px)


def plan_cheapest(
    size: Size,
    *,
    budget_px: int,
    cost: Callable[[int], float],
    overlap_px: int,
    multiple_of: int = 1,
    minimum_px: int = 1,
    blend_px: int = 0,
    minimum_core_px: int = 1,
) -> TilePlan:
    """As `plan_tiles`, with windows of the shape that takes the least time, of `budget_px` pixels at most.

    Overlaps are computed twice, so few large windows are cheap, but kernels have widths that they like.
    cost: the time that a pixel takes in a window this wide, in any unit. If the network demands larger
    windows than the budget allows, it gets the smallest that it can take.
    """
    shared = _round_up(2 * overlap_px, multiple_of)
    least = least_window_px(overlap_px, multiple_of, minimum_px, minimum_core_px)
    padded = Size(
        _round_up(max(size.width, minimum_px), multiple_of),
        _round_up(max(size.height, minimum_px), multiple_of),
    )
    step = math.lcm(multiple_of, _WIDTH_STEP_PX)
    widest = min(budget_px // min(least, padded.height), _WIDEST_PX)
    widths = {min(least, padded.width), *range(_round_up(least, step), min(widest, padded.width) + 1, step)}
    if padded.width <= widest:
        widths.add(padded.width)

    demands = (overlap_px, multiple_of, minimum_px, minimum_core_px)

    def window_of(width: int) -> Size:
        longest = max(budget_px // width, least)
        return Size(width, _narrowest_window(size.height, longest, *demands))

    def time_of(window: Size) -> float:
        columns = _count(padded.width, window.width, shared)
        rows = _count(padded.height, window.height, shared)
        return columns * rows * window.pixels * cost(window.width)

    windows = [window_of(width) for width in sorted(widths)]
    edge = math.isqrt(budget_px)
    if edge >= least:  # the square, which the steps may pass over if windows are small
        windows.append(Size(*(_narrowest_window(side, edge, *demands) for side in (size.width, size.height))))
    window = min(windows, key=time_of)
    return _plan_windows(size, window, overlap_px, multiple_of, blend_px)


def least_window_px(overlap_px: int, multiple_of: int, minimum_px: int, minimum_core_px: int) -> int:
    """The smallest window of an image that is cut; the parameters are those of `plan_tiles`."""
    # Both overlaps together, as a multiple so that aligned starts still leave that much.
    shared = _round_up(2 * overlap_px, multiple_of)
    return max(_round_up(minimum_px, multiple_of), shared + _round_up(minimum_core_px, multiple_of))


def check_tile(tile_px: int, least_px: int) -> None:
    """Raises InvalidParameter if `tile_px`, as a caller asks for it, is smaller than the least window."""
    if tile_px < least_px:
        raise InvalidParameter(
            f"tile={tile_px} px is too small for this model, which needs at least {least_px} px"
        )


def _plan_windows(size: Size, window: Size, overlap: int, multiple: int, blend: int) -> TilePlan:
    if blend > overlap:
        raise InvalidParameter(f"blend_px={blend} exceeds overlap_px={overlap}")
    shared = _round_up(2 * overlap, multiple)
    columns = _plan_axis(size.width, window.width, multiple, blend, shared)
    rows = _plan_axis(size.height, window.height, multiple, blend, shared)
    return TilePlan(
        size=size,
        padded=Size(columns[-1].window.stop, rows[-1].window.stop),
        tile=window,
        overlap_px=overlap,
        blend_px=blend,
        columns=columns,
        rows=rows,
    )


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple


def _count(padded: int, window: int, shared: int) -> int:
    """How many windows, each sharing `shared` with the next, cover a side of `padded`."""
    return 1 if padded <= window else -(-(padded - shared) // (window - shared))


def _narrowest_window(
    length: int, tile: int, overlap: int, multiple: int, minimum: int, minimum_core: int
) -> int:
    """The smallest window that covers `length` in as many tiles as windows of `tile` would."""
    padded = _round_up(max(length, minimum), multiple)
    longest = tile // multiple * multiple
    if padded <= longest:
        return padded
    least = least_window_px(overlap, multiple, minimum, minimum_core)
    if longest < least:
        check_tile(tile, least)
    shared = _round_up(2 * overlap, multiple)
    # A larger window would compute pixels that are thrown away.
    share = -(-(padded - shared) // _count(padded, longest, shared))
    return min(longest, max(least, _round_up(share + shared, multiple)))


def _plan_axis(length: int, window: int, multiple: int, blend: int, shared: int) -> tuple[AxisTile, ...]:
    """Windows of exactly `window`, evenly spread, that share at least `shared` with their neighbours."""
    padded = max(_round_up(length, multiple), window)
    if padded == window:
        return (AxisTile(Span(0, padded), Span(0, length), Span(0, length)),)
    count = _count(padded, window, shared)
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
