/** Sizes, points and rectangles in pixels, as backend/pixelmend/core/geometry.py has them. Pure values. */

export interface Size {
  widthPx: number;
  heightPx: number;
}

export interface Point {
  x: number;
  y: number;
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

export const EMPTY_RECT: Rect = { x: { start: 0, stop: 0 }, y: { start: 0, stop: 0 } };

export function lengthOf(span: Span): number {
  return span.stop - span.start;
}

function shifted(span: Span, offset: number): Span {
  return { start: span.start + offset, stop: span.stop + offset };
}

/** Wider on both sides, within `[0, length)`. */
function widened(span: Span, marginPx: number, length: number): Span {
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

export function areaOf({ widthPx, heightPx }: Size): number {
  return widthPx * heightPx;
}

export function isSameSize(a: Size, b: Size): boolean {
  return a.widthPx === b.widthPx && a.heightPx === b.heightPx;
}

export function isEmptyRect({ x, y }: Rect): boolean {
  return x.stop <= x.start || y.stop <= y.start;
}

/** The smallest rectangle around both. */
export function union(a: Rect, b: Rect): Rect {
  if (isEmptyRect(a)) return b;
  if (isEmptyRect(b)) return a;
  return { x: unionSpan(a.x, b.x), y: unionSpan(a.y, b.y) };
}

function unionSpan(a: Span, b: Span): Span {
  return { start: Math.min(a.start, b.start), stop: Math.max(a.stop, b.stop) };
}

export function contains(outer: Rect, inner: Rect): boolean {
  return containsSpan(outer.x, inner.x) && containsSpan(outer.y, inner.y);
}

function containsSpan(outer: Span, inner: Span): boolean {
  return outer.start <= inner.start && outer.stop >= inner.stop;
}

/** `rect` in the coordinates of `outer`, which contains it. */
export function relativeTo(rect: Rect, outer: Rect): Rect {
  return { x: shifted(rect.x, -outer.x.start), y: shifted(rect.y, -outer.y.start) };
}

export function clamped(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
