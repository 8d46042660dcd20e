/** The mask that a user draws, as large as the image, and what can be done to all of it. */

import { EMPTY_RECT, type Rect, type Size, type Span, wholeOf } from '../../../imaging/geometry';

/** 255 marks what is to be inpainted, 0 what is kept. Operations change the mask and return what they touched. */
export interface Mask extends Size {
  readonly data: Uint8Array<ArrayBuffer>;
}

export type MaskValue = 0 | 255;

export function createMask({ widthPx, heightPx }: Size): Mask {
  return { widthPx, heightPx, data: new Uint8Array(widthPx * heightPx) };
}

export function isEmpty(mask: Mask): boolean {
  return !mask.data.includes(255);
}

export function isFull(mask: Mask): boolean {
  return !mask.data.includes(0);
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

/** Adds all pixels within a distance of what is set. */
export function grow(mask: Mask, px: number): Rect {
  return spread(mask, px, 255);
}

/** Removes all pixels within a distance of what is not set. Nothing beyond the edge of the image counts as unset. */
export function shrink(mask: Mask, px: number): Rect {
  return spread(mask, px, 0);
}

/** The smallest rectangle around what is set. */
export function boundsOf(mask: Mask): Rect {
  const { widthPx, data } = mask;
  const first = data.indexOf(255);
  if (first < 0) return EMPTY_RECT;
  const y = { start: Math.floor(first / widthPx), stop: Math.floor(data.lastIndexOf(255) / widthPx) + 1 };
  const x = { start: widthPx, stop: 0 };
  for (let row = y.start; row < y.stop; row += 1) {
    const values = rowOf(mask, row);
    const at = values.indexOf(255);
    if (at < 0) continue;
    x.start = Math.min(x.start, at);
    x.stop = Math.max(x.stop, values.lastIndexOf(255) + 1);
  }
  return { x, y };
}

export function rowOf({ data, widthPx }: Mask, y: number): Uint8Array {
  return data.subarray(y * widthPx, (y + 1) * widthPx);
}

/** Pixels of `value` take over all within a distance. This is quick for drawn masks: their rows have few runs. */
function spread(mask: Mask, px: number, value: MaskValue): Rect {
  const runs = Array.from({ length: mask.heightPx }, (_, y) => runsOf(rowOf(mask, y), value));
  const reach = Math.floor(px);
  for (let y = 0; y < mask.heightPx; y += 1) {
    const row = rowOf(mask, y);
    for (let dy = -reach; dy <= reach; dy += 1) {
      const wider = Math.floor(Math.sqrt(px * px - dy * dy));
      for (const { start, stop } of runs[y + dy] ?? [])
        row.fill(value, Math.max(0, start - wider), stop + wider);
    }
  }
  return wholeOf(mask);
}

function runsOf(row: Uint8Array, value: MaskValue): Span[] {
  const runs: Span[] = [];
  const other = value === 255 ? 0 : 255;
  let start = row.indexOf(value);
  while (start >= 0) {
    const end = row.indexOf(other, start);
    const stop = end < 0 ? row.length : end;
    runs.push({ start, stop });
    start = stop < row.length ? row.indexOf(value, stop) : -1;
  }
  return runs;
}
