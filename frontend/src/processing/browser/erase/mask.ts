/** From a drawn mask to the pixels that are removed, and how the filling is blended in: imaging/mask.py. */

import { ProcessError } from '../../processor';
import { distanceTo } from '../fill/distance';
import { planHoles } from '../fill/holes';
import { countOf, cutMask, newMask, type Mask } from '../fill/planes';
import { widenedRect, type Size } from '../image/geometry';
import { hasAlpha, type Pixels } from '../image/pixels';

const THRESHOLD = 128;
const ASPECT_TOLERANCE_PX = 1;
/** ITU-R BT.601 in thousandths, so that grey 128 is exactly 128. */
const LUMA = [299, 587, 114] as const;

/**
 * What a mask file says, at the image's size. Grey or RGB: white is removed, from a brightness of 128 on. With
 * transparency: the more transparent part. Raises ProcessError where the mask's shape is not the image's.
 */
export function holeFromMask(mask: Pixels, image: Size): Mask {
  const { channels, data } = mask;
  const removed = newMask(mask);
  // The decoder has dropped an alpha that is opaque throughout.
  const byAlpha = hasAlpha(channels);
  for (let i = 0; i < removed.data.length; i += 1) {
    const at = i * channels;
    let isRemoved: boolean;
    if (byAlpha) isRemoved = (data[at + channels - 1] as number) < THRESHOLD;
    else if (channels === 1) isRemoved = (data[at] as number) >= THRESHOLD;
    else {
      const bright = LUMA.reduce((sum, weight, k) => sum + weight * (data[at + k] as number), 0);
      isRemoved = bright >= THRESHOLD * 1000;
    }
    removed.data[i] = isRemoved ? 1 : 0;
  }
  return atSizeOf(removed, image);
}

/** The hole and all pixels within `radiusPx` of it (Euclidean). */
export function grow(hole: Mask, radiusPx: number): Mask {
  const grown = { ...hole, data: hole.data.slice() };
  if (radiusPx === 0 || countOf(hole) === 0) return grown;
  for (const { crops } of planHoles(hole)) {
    for (const { own } of crops) {
      const box = widenedRect(own, radiusPx, hole);
      const distance = distanceTo(cutMask(hole, box), radiusPx);
      const width = box.x.stop - box.x.start;
      for (let i = 0; i < distance.length; i += 1) {
        if ((distance[i] as number) > radiusPx) continue;
        const x = i % width;
        grown.data[(box.y.start + (i - x) / width) * hole.widthPx + box.x.start + x] = 1;
      }
    }
  }
  return grown;
}

/**
 * How much of the filling is seen, 0 to 1: 1 in the hole; falls linearly with the distance from it, and is
 * exactly 0 outside `grow(hole, radiusPx)`.
 */
export function feather(hole: Mask, radiusPx: number): Float32Array {
  if (radiusPx === 0) return Float32Array.from(hole.data);
  return distanceTo(hole, radiusPx).map((distance) => Math.max(0, 1 - distance / (radiusPx + 1)));
}

/** A pixel is removed where any part of it is: a thin stroke survives. Sides may be rounded by a pixel. */
function atSizeOf(removed: Mask, image: Size): Mask {
  const { widthPx, heightPx } = removed;
  const tolerance = ASPECT_TOLERANCE_PX * Math.max(image.widthPx, image.heightPx, widthPx, heightPx);
  if (Math.abs(widthPx * image.heightPx - heightPx * image.widthPx) > tolerance) {
    const detail = `the mask is ${widthPx}x${heightPx} px and the image ${image.widthPx}x${image.heightPx} px`;
    throw new ProcessError('refused', detail, {
      problem: { type: 'invalid-parameter', title: 'Invalid parameter', detail, requestId: null },
    });
  }
  if (widthPx === image.widthPx && heightPx === image.heightPx) return removed;
  const result = newMask(image);
  for (let y = 0; y < heightPx; y += 1) {
    const [top, bottom] = coveredBy(y, heightPx, image.heightPx);
    for (let x = 0; x < widthPx; x += 1) {
      if (removed.data[y * widthPx + x] === 0) continue;
      const [left, right] = coveredBy(x, widthPx, image.widthPx);
      for (let row = top; row < bottom; row += 1) {
        result.data.fill(1, row * image.widthPx + left, row * image.widthPx + right);
      }
    }
  }
  return result;
}

/** The places of a side of `toPx` that the place `at` of a side of `fromPx` overlaps. */
function coveredBy(at: number, fromPx: number, toPx: number): [start: number, stop: number] {
  return [Math.floor((at * toPx) / fromPx), Math.ceil(((at + 1) * toPx) / fromPx)];
}
