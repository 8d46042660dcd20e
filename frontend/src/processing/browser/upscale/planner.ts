/**
 * Which tiles to compute, exactly as `plan_tiles` of backend/pixelmend/imaging/tiling.py; both are tested with
 * tests/fixtures/tiling_cases.json. Pure arithmetic.
 *
 * A tile reads a `window` of the padded image and is responsible for its `core`; the cores partition the image. All
 * windows of a plan have one shape. A core pixel is at least `overlapPx` away from every window edge that is not
 * an image edge. If that is the network's receptive field, a tile's core equals the output of the untiled network.
 */

import type { Size, Span } from '../../../imaging/geometry';

export interface AxisTile {
  window: Span;
  core: Span;
  /** The core, widened by the blend on each inner side. */
  paste: Span;
}

export interface Tile {
  index: number;
  column: AxisTile;
  row: AxisTile;
}

/** Tiles are in row-major order. `padded` is `size` rounded up to what the network accepts. */
export interface TilePlan {
  size: Size;
  padded: Size;
  tile: Size;
  columns: readonly AxisTile[];
  rows: readonly AxisTile[];
}

/** In pixels of the image. */
export interface TileDemands {
  /** Longest side of a window. */
  tilePx: number;
  overlapPx: number;
  /** Sides and places of windows are multiples of this; 1 if left out. */
  multipleOf?: number;
  /** The smallest side that the network takes; 1 if left out. */
  minimumPx?: number;
  /** Half the width of the band in which neighbours are mixed; 0 for a hard cut. */
  blendPx?: number;
}

/** Raises RangeError if windows of `tilePx` are too small for the network or leave no core. */
export function planTiles(size: Size, demands: TileDemands): TilePlan {
  const { tilePx, overlapPx, multipleOf = 1, minimumPx = 1, blendPx = 0 } = demands;
  if (blendPx > overlapPx)
    throw new RangeError(`a blend of ${blendPx} px exceeds the overlap, ${overlapPx} px`);
  const narrowest = (lengthPx: number) => narrowestWindow(lengthPx, tilePx, overlapPx, multipleOf, minimumPx);
  const tile = { widthPx: narrowest(size.widthPx), heightPx: narrowest(size.heightPx) };
  const sharedPx = roundUp(2 * overlapPx, multipleOf);
  const columns = planAxis(size.widthPx, tile.widthPx, multipleOf, blendPx, sharedPx);
  const rows = planAxis(size.heightPx, tile.heightPx, multipleOf, blendPx, sharedPx);
  const padded = { widthPx: endOf(columns), heightPx: endOf(rows) };
  return { size, padded, tile, columns, rows };
}

export function tileCount(plan: TilePlan): number {
  return plan.columns.length * plan.rows.length;
}

export function* tilesOf(plan: TilePlan): Generator<Tile> {
  let index = 0;
  for (const row of plan.rows) {
    for (const column of plan.columns) {
      yield { index, column, row };
      index += 1;
    }
  }
}

function endOf(tiles: readonly AxisTile[]): number {
  return tiles.at(-1)?.window.stop ?? 0;
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** How many windows, each sharing `shared` with the next, cover a side of `padded`. */
function countOf(padded: number, window: number, shared: number): number {
  return padded <= window ? 1 : Math.ceil((padded - shared) / (window - shared));
}

/** The smallest window that covers `length` in as many tiles as windows of `tile` would. */
function narrowestWindow(
  length: number,
  tile: number,
  overlap: number,
  multiple: number,
  minimum: number,
): number {
  const padded = roundUp(Math.max(length, minimum), multiple);
  const longest = Math.floor(tile / multiple) * multiple;
  if (padded <= longest) return padded;
  const least = roundUp(minimum, multiple);
  // Both overlaps together, rounded up so that aligned starts leave at least as much.
  const shared = roundUp(2 * overlap, multiple);
  const needed = Math.max(least, shared + multiple);
  if (longest < needed)
    throw new RangeError(`tiles of ${tile} px are too small; the model needs ${needed} px`);
  // A larger window would compute pixels that are thrown away.
  const share = Math.ceil((padded - shared) / countOf(padded, longest, shared));
  return Math.min(longest, Math.max(least, roundUp(share + shared, multiple)));
}

/** Windows of exactly `window`, evenly spread, that share at least `shared` with their neighbours. */
function planAxis(
  length: number,
  window: number,
  multiple: number,
  blend: number,
  shared: number,
): AxisTile[] {
  const padded = Math.max(roundUp(length, multiple), window);
  if (padded === window) {
    return [
      {
        window: { start: 0, stop: padded },
        core: { start: 0, stop: length },
        paste: { start: 0, stop: length },
      },
    ];
  }
  const count = countOf(padded, window, shared);
  const slack = padded - window;
  const starts = Array.from({ length: count }, (_, i) =>
    i === count - 1 ? slack : Math.floor(Math.floor((slack * i) / (count - 1)) / multiple) * multiple,
  );
  const inner = starts.slice(1).map((next, i) => Math.floor(((starts[i] as number) + window + next) / 2));
  const cuts = [0, ...inner, length];
  const cores = starts.map((_, i) => ({ start: cuts[i] as number, stop: cuts[i + 1] as number }));
  // Three tiles must never mix in one pixel, so a blend takes at most half of the narrowest core.
  const mixed = Math.min(blend, ...cores.map((core) => Math.floor((core.stop - core.start) / 2)));
  return cores.map((core, i) => {
    const start = starts[i] as number;
    return {
      window: { start, stop: start + window },
      core,
      paste: {
        start: core.start - (i > 0 ? mixed : 0),
        stop: core.stop + (i < count - 1 ? mixed : 0),
      },
    };
  });
}
