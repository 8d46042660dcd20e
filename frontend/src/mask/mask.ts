/** A mask in the image's own pixels: 255 is removed, 0 is kept. Operations change it and return what they touched. */

export interface Mask {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly data: Uint8Array;
}

export interface Point {
  x: number;
  y: number;
}

/** Whole pixels; `right` and `bottom` are outside. */
export interface Rect {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export type MaskValue = 0 | 255;

export const NOWHERE: Rect = { left: 0, top: 0, right: 0, bottom: 0 };

export function createMask(widthPx: number, heightPx: number): Mask {
  return { widthPx, heightPx, data: new Uint8Array(widthPx * heightPx) };
}

export function isNowhere(rect: Rect): boolean {
  return rect.right <= rect.left || rect.bottom <= rect.top;
}

export function union(a: Rect, b: Rect): Rect {
  if (isNowhere(a)) return b;
  if (isNowhere(b)) return a;
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}

export function wholeOf(mask: Mask): Rect {
  return { left: 0, top: 0, right: mask.widthPx, bottom: mask.heightPx };
}

/** A round brush drawn from one point to another: pixels whose centre is within the radius of the line. */
export function drawStroke(mask: Mask, from: Point, to: Point, radiusPx: number, value: MaskValue): Rect {
  const top = Math.floor(Math.min(from.y, to.y) - radiusPx);
  const bottom = Math.ceil(Math.max(from.y, to.y) + radiusPx) + 1;
  const corners = sidesOf(from, to, radiusPx);
  return fillRows(mask, top, bottom, value, (y) => {
    // The shape is convex, so a row of it is one span: from the leftmost to the rightmost of its parts.
    const span: Span = { from: Infinity, to: -Infinity };
    widenByCircle(span, from, radiusPx, y);
    widenByCircle(span, to, radiusPx, y);
    for (let n = 0; n < corners.length; n += 1) {
      const a = corners[n] as Point;
      const b = corners[(n + 1) % corners.length] as Point;
      const x = crossing(a, b, y);
      if (x !== null) widen(span, x, x);
    }
    return span.from <= span.to ? [span] : [];
  });
}

export function drawRectangle(mask: Mask, a: Point, b: Point, value: MaskValue): Rect {
  const span = { from: Math.min(a.x, b.x), to: Math.max(a.x, b.x) };
  const top = Math.min(a.y, b.y);
  const bottom = Math.max(a.y, b.y);
  return fillRows(mask, Math.floor(top), Math.ceil(bottom) + 1, value, (y) =>
    y >= top && y < bottom ? [span] : [],
  );
}

/** The inside of a closed outline; where it crosses itself, what is enclosed an odd number of times. */
export function drawPolygon(mask: Mask, outline: readonly Point[], value: MaskValue): Rect {
  if (outline.length < 3) return NOWHERE;
  const ys = outline.map((point) => point.y);
  return fillRows(mask, Math.floor(Math.min(...ys)), Math.ceil(Math.max(...ys)) + 1, value, (y) => {
    const xs: number[] = [];
    outline.forEach((a, n) => {
      const x = crossing(a, outline[(n + 1) % outline.length] as Point, y);
      if (x !== null) xs.push(x);
    });
    xs.sort((a, b) => a - b);
    const spans: Span[] = [];
    for (let n = 0; n + 1 < xs.length; n += 2) spans.push({ from: xs[n] as number, to: xs[n + 1] as number });
    return spans;
  });
}

export function invert(mask: Mask): Rect {
  for (let n = 0; n < mask.data.length; n += 1) mask.data[n] = 255 - (mask.data[n] as number);
  return wholeOf(mask);
}

export function clear(mask: Mask): Rect {
  const touched = boundsOf(mask);
  mask.data.fill(0);
  return touched;
}

/** Add all pixels within a distance of what is set. */
export function grow(mask: Mask, px: number): Rect {
  return spread(mask, px, 255);
}

/** Take away all pixels within a distance of what is not set; beyond the image is no outside. */
export function shrink(mask: Mask, px: number): Rect {
  return spread(mask, px, 0);
}

/** The smallest rectangle around what is set. */
export function boundsOf(mask: Mask): Rect {
  const { widthPx, heightPx, data } = mask;
  const first = data.indexOf(255);
  if (first < 0) return NOWHERE;
  const top = Math.floor(first / widthPx);
  const bottom = Math.floor(data.lastIndexOf(255) / widthPx) + 1;
  let left = widthPx;
  let right = 0;
  for (let y = top; y < Math.min(bottom, heightPx); y += 1) {
    const row = data.subarray(y * widthPx, (y + 1) * widthPx);
    const at = row.indexOf(255);
    if (at < 0) continue;
    left = Math.min(left, at);
    right = Math.max(right, row.lastIndexOf(255) + 1);
  }
  return { left, top, right, bottom };
}

export function isEmpty(mask: Mask): boolean {
  return !mask.data.includes(255);
}

export function isFull(mask: Mask): boolean {
  return !mask.data.includes(0);
}

interface Span {
  from: number;
  to: number;
}

/** Sets the pixels whose centres lie in the spans of each row, from `from` on, before `to`. */
function fillRows(
  mask: Mask,
  top: number,
  bottom: number,
  value: MaskValue,
  spansAt: (centreY: number) => Span[],
): Rect {
  let touched = NOWHERE;
  for (let y = Math.max(0, top); y < Math.min(mask.heightPx, bottom); y += 1) {
    for (const span of spansAt(y + 0.5)) {
      const left = Math.max(0, Math.ceil(span.from - 0.5));
      const right = Math.min(mask.widthPx, Math.ceil(span.to - 0.5));
      if (left >= right) continue;
      mask.data.fill(value, y * mask.widthPx + left, y * mask.widthPx + right);
      touched = union(touched, { left, top: y, right, bottom: y + 1 });
    }
  }
  return touched;
}

/** The corners of a stroke's straight part, in order; none where it is a dot. */
function sidesOf(from: Point, to: Point, radiusPx: number): Point[] {
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

/** Where an edge crosses a row; each end belongs to one of two edges that meet there. */
function crossing(a: Point, b: Point, y: number): number | null {
  if (a.y <= y === b.y <= y) return null;
  return a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x);
}

function widen(span: Span, from: number, to: number): void {
  span.from = Math.min(span.from, from);
  span.to = Math.max(span.to, to);
}

function widenByCircle(span: Span, centre: Point, radiusPx: number, y: number): void {
  const dy = y - centre.y;
  if (Math.abs(dy) > radiusPx) return;
  const half = Math.sqrt(radiusPx * radiusPx - dy * dy);
  widen(span, centre.x - half, centre.x + half);
}

/** Pixels of `value` take over all within a distance. Cheap where rows have few runs, as drawn masks have. */
function spread(mask: Mask, px: number, value: MaskValue): Rect {
  const { widthPx, heightPx, data } = mask;
  const runs = Array.from({ length: heightPx }, (_, y) =>
    runsOf(data.subarray(y * widthPx, (y + 1) * widthPx), value),
  );
  const reach = Math.floor(px);
  for (let y = 0; y < heightPx; y += 1) {
    for (let dy = -reach; dy <= reach; dy += 1) {
      const wider = Math.floor(Math.sqrt(px * px - dy * dy));
      for (const [from, to] of runs[y + dy] ?? []) {
        data.fill(
          value,
          y * widthPx + Math.max(0, from - wider),
          y * widthPx + Math.min(widthPx, to + wider),
        );
      }
    }
  }
  return wholeOf(mask);
}

function runsOf(row: Uint8Array, value: MaskValue): [number, number][] {
  const runs: [number, number][] = [];
  const other = value === 255 ? 0 : 255;
  let from = row.indexOf(value);
  while (from >= 0) {
    const end = row.indexOf(other, from);
    const to = end < 0 ? row.length : end;
    runs.push([from, to]);
    from = to < row.length ? row.indexOf(value, to) : -1;
  }
  return runs;
}
