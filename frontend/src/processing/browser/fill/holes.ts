/**
 * Plans which parts of an image are filled together (imaging/holes.py). Holes near to one another form a group, and a
 * group that is too large to be filled at once is divided into crops.
 */

import { lengthOf, widenedRect, type Rect, type Size, type Span } from '../../../imaging/geometry';
import { countIn, newBitMask, summed, type BitMask } from './planes';

/** Holes in touching cells are near, since their surroundings would overlap. */
const CELL_PX = 64;
const LEAST_CONTEXT_PX = 64;
const MOST_CONTEXT_PX = 256;
/** Longest side of what is filled at once. */
export const LARGEST_PX = 768;

export interface Crop {
  /** The part that this crop fills. */
  own: Rect;
  /** The part that it may read. */
  window: Rect;
}

/** Holes near to one another. More than one crop means that they are too large to be filled at once. */
export interface Group {
  contextPx: number;
  bounds: Crop;
  crops: readonly Crop[];
}

/** No two crops' own parts overlap, and each pixel of the hole lies in one of them. */
export function planHoles(hole: BitMask, largestPx = LARGEST_PX): Group[] {
  const sums = summed(hole);
  const area = ({ x, y }: Rect) => countIn(sums, hole.widthPx, x.start, y.start, x.stop, y.stop);
  return mergedCells(cellsOf(hole, area)).map((cells) => {
    const bounds = tight(near(cells, hole), area);
    const contextPx = Math.min(
      Math.max(Math.floor(Math.sqrt(area(bounds))), LEAST_CONTEXT_PX),
      MOST_CONTEXT_PX,
    );
    const crops = divided(bounds, largestPx)
      .filter((part) => area(part) > 0)
      .map((part) => cropOf(tight(part, area), contextPx, hole));
    return { contextPx, bounds: cropOf(bounds, contextPx, hole), crops };
  });
}

type Area = (rect: Rect) => number;

/** The cells of the image that contain a part of a hole. */
function cellsOf(hole: BitMask, area: Area): BitMask {
  const cells = newBitMask({
    widthPx: Math.ceil(hole.widthPx / CELL_PX),
    heightPx: Math.ceil(hole.heightPx / CELL_PX),
  });
  for (let i = 0; i < cells.data.length; i += 1) {
    const x = i % cells.widthPx;
    const y = (i - x) / cells.widthPx;
    const cell = near({ x: { start: x, stop: x + 1 }, y: { start: y, stop: y + 1 } }, hole);
    cells.data[i] = area(cell) > 0 ? 1 : 0;
  }
  return cells;
}

/** The pixels of a rectangle of cells. */
function near(cells: Rect, size: Size): Rect {
  const of = (span: Span, lengthPx: number) => ({
    start: span.start * CELL_PX,
    stop: Math.min(span.stop * CELL_PX, lengthPx),
  });
  return { x: of(cells.x, size.widthPx), y: of(cells.y, size.heightPx) };
}

/** Rectangles of cells, neither overlapping nor touching, that together contain all set cells. */
function mergedCells(cells: BitMask): Rect[] {
  for (let current = cells; ;) {
    const rects = components(current);
    const grown = newBitMask(cells);
    for (const { x, y } of rects) {
      for (let row = y.start; row < y.stop; row += 1) {
        grown.data.fill(1, row * cells.widthPx + x.start, row * cells.widthPx + x.stop);
      }
    }
    if (grown.data.every((value, i) => value === current.data[i])) return rects;
    current = grown;
  }
}

/** The bounds of connected cells, corners included, in the order of their first cells. */
function components(cells: BitMask): Rect[] {
  const { widthPx, heightPx } = cells;
  const open = cells.data.slice();
  const rects: Rect[] = [];
  for (let first = 0; first < open.length; first += 1) {
    if (open[first] === 0) continue;
    open[first] = 0;
    const found = [first];
    const x = { start: widthPx, stop: 0 };
    const y = { start: heightPx, stop: 0 };
    for (const place of found) {
      const column = place % widthPx;
      const row = (place - column) / widthPx;
      x.start = Math.min(x.start, column);
      x.stop = Math.max(x.stop, column + 1);
      y.start = Math.min(y.start, row);
      y.stop = Math.max(y.stop, row + 1);
      for (let r = Math.max(0, row - 1); r <= Math.min(heightPx - 1, row + 1); r += 1) {
        for (let c = Math.max(0, column - 1); c <= Math.min(widthPx - 1, column + 1); c += 1) {
          if (open[r * widthPx + c] === 0) continue;
          open[r * widthPx + c] = 0;
          found.push(r * widthPx + c);
        }
      }
    }
    rects.push({ x, y });
  }
  return rects;
}

/** The bounds of the hole pixels in `part`, which has some. */
function tight(part: Rect, area: Area): Rect {
  const column = (x: number) => area({ x: { start: x, stop: x + 1 }, y: part.y }) > 0;
  const row = (y: number) => area({ x: part.x, y: { start: y, stop: y + 1 } }) > 0;
  return { x: tightSpan(part.x, column), y: tightSpan(part.y, row) };
}

function tightSpan(span: Span, isSet: (place: number) => boolean): Span {
  let { start, stop } = span;
  while (start < stop - 1 && !isSet(start)) start += 1;
  while (stop > start + 1 && !isSet(stop - 1)) stop -= 1;
  return { start, stop };
}

/** Equal parts of at most `largestPx` a side, in row-major order. */
function divided(bounds: Rect, largestPx: number): Rect[] {
  const columns = shares(bounds.x, largestPx);
  return shares(bounds.y, largestPx).flatMap((y) => columns.map((x) => ({ x, y })));
}

function shares(span: Span, largestPx: number): Span[] {
  const length = lengthOf(span);
  const count = Math.ceil(length / largestPx);
  const cut = (i: number) => span.start + Math.floor((length * i) / count);
  return Array.from({ length: count }, (_, i) => ({ start: cut(i), stop: cut(i + 1) }));
}

function cropOf(own: Rect, contextPx: number, size: Size): Crop {
  return { own, window: widenedRect(own, contextPx, size) };
}
