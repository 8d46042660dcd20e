/** The distance of pixels to a set of pixels, up to a limit (imaging/distance.py). */

import type { BitMask } from './planes';

/** The Euclidean distance of each pixel to the nearest set one: exact up to `limitPx`, infinite beyond. */
export function distanceTo(mask: BitMask, limitPx: number): Float32Array {
  const { widthPx, heightPx, data } = mask;
  const along = squaredAlongRows(mask, limitPx);
  const result = new Float32Array(data.length);
  const limit = limitPx ** 2;
  for (let y = 0; y < heightPx; y += 1) {
    const first = Math.max(0, y - limitPx);
    const last = Math.min(heightPx - 1, y + limitPx);
    for (let x = 0; x < widthPx; x += 1) {
      const own = y * widthPx + x;
      let least = data[own] === 1 ? 0 : Infinity;
      // Rows are read in the order of their distance, until it alone exceeds what was found.
      for (let step = 0; step * step < least && step <= limitPx; step += 1) {
        if (y - step >= first) least = Math.min(least, (along[own - step * widthPx] as number) + step * step);
        if (y + step <= last) least = Math.min(least, (along[own + step * widthPx] as number) + step * step);
      }
      result[own] = least > limit ? Infinity : Math.sqrt(least);
    }
  }
  return result;
}

/** Squared distance to the nearest set pixel of the same row; infinite beyond the limit. */
function squaredAlongRows(mask: BitMask, limitPx: number): Float32Array {
  const { widthPx, heightPx, data } = mask;
  const result = new Float32Array(data.length).fill(Infinity);
  for (let y = 0; y < heightPx; y += 1) {
    const row = y * widthPx;
    let last = -Infinity;
    for (let x = 0; x < widthPx; x += 1) {
      if (data[row + x] === 1) last = x;
      if (x - last <= limitPx) result[row + x] = (x - last) ** 2;
    }
    let next = Infinity;
    for (let x = widthPx - 1; x >= 0; x -= 1) {
      if (data[row + x] === 1) next = x;
      if (next - x <= limitPx) result[row + x] = Math.min(result[row + x] as number, (next - x) ** 2);
    }
  }
  return result;
}
