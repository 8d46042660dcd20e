/** From a drawn mask to the pixels that are filled, and the weights of the filling, as in imaging/mask.py. */

import { MASK_THRESHOLD } from '../../../api/constants';
import { invalidParameter } from '../../../lib/errors';
import { distanceTo } from '../fill/distance';
import { planHoles } from '../fill/holes';
import { countOf, cutBitMask, newBitMask, type BitMask } from '../fill/planes';
import { widenedRect, type Size } from '../../../imaging/geometry';
import { hasAlpha, type Pixels } from '../../../imaging/pixels';

const ASPECT_TOLERANCE_PX = 1;
/** ITU-R BT.601 in thousandths, so that grey 128 is exactly 128. */
const LUMA = [299, 587, 114] as const;

/**
 * The pixels of the image that a mask file marks. In a grey or RGB mask these are the light ones; in a mask with
 * transparency, the more transparent ones. Raises ProcessError if the mask does not have the shape of the image.
 */
export function holeFromMask(mask: Pixels, image: Size): BitMask {
  const { channels, data } = mask;
  const marked = newBitMask(mask);
  // The decoder has removed an alpha that is opaque throughout.
  const byAlpha = hasAlpha(channels);
  for (let i = 0; i < marked.data.length; i += 1) {
    const at = i * channels;
    let isMarked: boolean;
    if (byAlpha) isMarked = (data[at + channels - 1] as number) < MASK_THRESHOLD;
    else if (channels === 1) isMarked = (data[at] as number) >= MASK_THRESHOLD;
    else {
      const bright = LUMA.reduce((sum, weight, k) => sum + weight * (data[at + k] as number), 0);
      isMarked = bright >= MASK_THRESHOLD * 1000;
    }
    marked.data[i] = isMarked ? 1 : 0;
  }
  return atSizeOf(marked, image);
}

/** The hole and all pixels within `radiusPx` of it (Euclidean). */
export function grow(hole: BitMask, radiusPx: number): BitMask {
  const grown = { ...hole, data: hole.data.slice() };
  if (radiusPx === 0 || countOf(hole) === 0) return grown;
  for (const { crops } of planHoles(hole)) {
    for (const { own } of crops) {
      const box = widenedRect(own, radiusPx, hole);
      const distance = distanceTo(cutBitMask(hole, box), radiusPx);
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
 * The weights of the filling, 0 to 1: 1 in the hole, falling linearly with the distance from it, and exactly 0 outside
 * `grow(hole, radiusPx)`.
 */
export function feather(hole: BitMask, radiusPx: number): Float32Array {
  if (radiusPx === 0) return Float32Array.from(hole.data);
  return distanceTo(hole, radiusPx).map((distance) => Math.max(0, 1 - distance / (radiusPx + 1)));
}

/** A pixel is marked if any part of it is, so that a thin stroke survives. Sides may be rounded by a pixel. */
function atSizeOf(marked: BitMask, image: Size): BitMask {
  const { widthPx, heightPx } = marked;
  const tolerance = ASPECT_TOLERANCE_PX * Math.max(image.widthPx, image.heightPx, widthPx, heightPx);
  if (Math.abs(widthPx * image.heightPx - heightPx * image.widthPx) > tolerance) {
    throw invalidParameter(
      `the mask is ${widthPx}x${heightPx} px and the image ${image.widthPx}x${image.heightPx} px`,
    );
  }
  if (widthPx === image.widthPx && heightPx === image.heightPx) return marked;
  const result = newBitMask(image);
  for (let y = 0; y < heightPx; y += 1) {
    const [top, bottom] = coveredBy(y, heightPx, image.heightPx);
    for (let x = 0; x < widthPx; x += 1) {
      if (marked.data[y * widthPx + x] === 0) continue;
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
