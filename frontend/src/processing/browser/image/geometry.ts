/** Sizes and rectangles in whole pixels, as backend/pixelmend/imaging/geometry.py has them. Pure values. */

export interface Size {
  widthPx: number;
  heightPx: number;
}

/** A half-open interval `[start, stop)` on one axis. */
export interface Span {
  start: number;
  stop: number;
}

/** Columns `x`, rows `y`. */
export interface Rect {
  x: Span;
  y: Span;
}

export function lengthOf(span: Span): number {
  return span.stop - span.start;
}

export function shifted(span: Span, offset: number): Span {
  return { start: span.start + offset, stop: span.stop + offset };
}

export function scaled(span: Span, factor: number): Span {
  return { start: span.start * factor, stop: span.stop * factor };
}

/** Wider on both sides, within `[0, length)`. */
export function widened(span: Span, marginPx: number, length: number): Span {
  return { start: Math.max(0, span.start - marginPx), stop: Math.min(length, span.stop + marginPx) };
}

export function widenedRect(rect: Rect, marginPx: number, size: Size): Rect {
  return { x: widened(rect.x, marginPx, size.widthPx), y: widened(rect.y, marginPx, size.heightPx) };
}

export function wholeOf(size: Size): Rect {
  return { x: { start: 0, stop: size.widthPx }, y: { start: 0, stop: size.heightPx } };
}

export function sizeOf(rect: Rect): Size {
  return { widthPx: lengthOf(rect.x), heightPx: lengthOf(rect.y) };
}

/** `rect` in the coordinates of `outer`, which contains it. */
export function relativeTo(rect: Rect, outer: Rect): Rect {
  return { x: shifted(rect.x, -outer.x.start), y: shifted(rect.y, -outer.y.start) };
}
