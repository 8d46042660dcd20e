/** The size of the brush, and its slider, whose steps are proportional to the size. */

import { clamped } from '../../imaging/geometry';

const MIN_BRUSH_PX = 1;
const MAX_BRUSH_PX = 1000;
const KEY_FACTOR = 1.25;

/** The place of the slider, 0 to 1. */
export function toShare(px: number): number {
  return Math.log(px / MIN_BRUSH_PX) / Math.log(MAX_BRUSH_PX / MIN_BRUSH_PX);
}

export function fromShare(share: number): number {
  return Math.round(MIN_BRUSH_PX * (MAX_BRUSH_PX / MIN_BRUSH_PX) ** share);
}

/** The size after one step by the keyboard, which is proportional to the size and at least 1 px. */
export function steppedBrush(px: number, direction: 1 | -1): number {
  const next = direction === 1 ? Math.max(px + 1, px * KEY_FACTOR) : Math.min(px - 1, px / KEY_FACTOR);
  return Math.round(clamped(next, MIN_BRUSH_PX, MAX_BRUSH_PX));
}
