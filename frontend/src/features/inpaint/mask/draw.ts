/** Shapes drawn into a mask. Each returns the rectangle that it touched. */

import { EMPTY_RECT, type Point, type Rect, union } from '../../../imaging/geometry';
import { type Mask, type MaskValue, rowOf } from './mask';

/** A round brush moved from one point to another: all pixels whose centre is within the radius of the line. */
export function drawStroke(mask: Mask, from: Point, to: Point, radiusPx: number, value: MaskValue): Rect {
  const top = Math.floor(Math.min(from.y, to.y) - radiusPx);
  const bottom = Math.ceil(Math.max(from.y, to.y) + radiusPx) + 1;
  const corners = cornersOf(from, to, radiusPx);
  return fillRows(mask, top, bottom, value, (y) => {
    // The shape is convex, so a row of it is one stretch, from the leftmost to the rightmost of its parts.
    const stretch: Stretch = { from: Infinity, to: -Infinity };
    widenByCircle(stretch, from, radiusPx, y);
    widenByCircle(stretch, to, radiusPx, y);
    for (let n = 0; n < corners.length; n += 1) {
      const a = corners[n] as Point;
      const b = corners[(n + 1) % corners.length] as Point;
      const x = crossing(a, b, y);
      if (x !== null) widen(stretch, x, x);
    }
    return stretch.from <= stretch.to ? [stretch] : [];
  });
}

export function drawRectangle(mask: Mask, a: Point, b: Point, value: MaskValue): Rect {
  const stretch = { from: Math.min(a.x, b.x), to: Math.max(a.x, b.x) };
  const top = Math.min(a.y, b.y);
  const bottom = Math.max(a.y, b.y);
  return fillRows(mask, Math.floor(top), Math.ceil(bottom) + 1, value, (y) =>
    y >= top && y < bottom ? [stretch] : [],
  );
}

/** The inside of a closed outline. If the outline crosses itself, what it encloses an odd number of times. */
export function drawPolygon(mask: Mask, outline: readonly Point[], value: MaskValue): Rect {
  if (outline.length < 3) return EMPTY_RECT;
  const ys = outline.map((point) => point.y);
  return fillRows(mask, Math.floor(Math.min(...ys)), Math.ceil(Math.max(...ys)) + 1, value, (y) => {
    const xs: number[] = [];
    outline.forEach((a, n) => {
      const x = crossing(a, outline[(n + 1) % outline.length] as Point, y);
      if (x !== null) xs.push(x);
    });
    xs.sort((a, b) => a - b);
    const stretches: Stretch[] = [];
    for (let n = 0; n + 1 < xs.length; n += 2) {
      stretches.push({ from: xs[n] as number, to: xs[n + 1] as number });
    }
    return stretches;
  });
}

/** A part of a row, in fractions of a pixel. */
interface Stretch {
  from: number;
  to: number;
}

/** Sets the pixels whose centres lie in the stretches of each row, including `from` and excluding `to`. */
function fillRows(
  mask: Mask,
  top: number,
  bottom: number,
  value: MaskValue,
  stretchesAt: (centreY: number) => Stretch[],
): Rect {
  let touched = EMPTY_RECT;
  for (let y = Math.max(0, top); y < Math.min(mask.heightPx, bottom); y += 1) {
    for (const stretch of stretchesAt(y + 0.5)) {
      const start = Math.max(0, Math.ceil(stretch.from - 0.5));
      const stop = Math.min(mask.widthPx, Math.ceil(stretch.to - 0.5));
      if (start >= stop) continue;
      rowOf(mask, y).fill(value, start, stop);
      touched = union(touched, { x: { start, stop }, y: { start: y, stop: y + 1 } });
    }
  }
  return touched;
}

/** The corners of a stroke's straight part, in order; none if the stroke is a dot. */
function cornersOf(from: Point, to: Point, radiusPx: number): Point[] {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  if (length === 0) return [];
  const dx = (-(to.y - from.y) / length) * radiusPx;
  const dy = ((to.x - from.x) / length) * radiusPx;
  return [
    { x: from.x + dx, y: from.y + dy },
    { x: to.x + dx, y: to.y + dy },
    { x: to.x - dx, y: to.y - dy },
    { x: from.x - dx, y: from.y - dy },
  ];
}

/** The place at which an edge crosses a row. A corner belongs to one of the two edges that meet there. */
function crossing(a: Point, b: Point, y: number): number | null {
  if (a.y <= y === b.y <= y) return null;
  return a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x);
}

function widen(stretch: Stretch, from: number, to: number): void {
  stretch.from = Math.min(stretch.from, from);
  stretch.to = Math.max(stretch.to, to);
}

function widenByCircle(stretch: Stretch, centre: Point, radiusPx: number, y: number): void {
  const dy = y - centre.y;
  if (Math.abs(dy) > radiusPx) return;
  const half = Math.sqrt(radiusPx * radiusPx - dy * dy);
  widen(stretch, centre.x - half, centre.x + half);
}
