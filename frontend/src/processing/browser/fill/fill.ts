/** Fills holes with what their surroundings suggest, without a network (imaging/inpainting/fill.py). */

import { lengthOf, relativeTo, sizeOf, type Rect, type Size } from '../../../imaging/geometry';
import type { Pixels } from '../../../imaging/pixels';
import { filledCrop } from './crop';
import { LARGEST_PX, planHoles, type Group } from './holes';
import { countOf, cutBitMask, newBitMask, newPlane, type BitMask, type Plane } from './planes';
import { doubled, weightedHalves } from './pyramid';
import { Random } from './random';

/** An image of 1 or 3 channels, 0 to 255, of whole or floating-point numbers. */
interface Picture extends Size {
  channels: number;
  data: Uint8ClampedArray<ArrayBuffer> | Float32Array;
}

type OnProgress = (done: number, total: number) => void;

/**
 * A new image, equal outside the hole, from one of 1 or 3 channels. The same arguments give the same result.
 * `largestPx` is the longest side of what is filled at once. `onProgress` counts filled pixels, so far and in all.
 */
export function fill(image: Pixels, hole: BitMask, onProgress: OnProgress, largestPx = LARGEST_PX): Pixels {
  const filled = { ...image, data: image.data.slice() };
  fillInPlace(filled, hole, largestPx, onProgress);
  return filled;
}

function fillInPlace(picture: Picture, hole: BitMask, largestPx: number, onProgress: OnProgress): void {
  const unknown = { ...hole, data: hole.data.slice() };
  const total = countOf(hole);
  let done = 0;
  onProgress(done, total);
  for (const group of planHoles(hole, largestPx)) {
    const guide = group.crops.length > 1 ? guideOf(picture, unknown, group, largestPx) : null;
    for (const { own, window } of group.crops) {
      const filled = filledCrop(
        readPlane(picture, window),
        cutBitMask(unknown, window),
        group.contextPx,
        new Random(own.x.start, own.y.start),
        guide === null ? null : doubledWindow(guide, relativeTo(window, group.bounds.window)),
      );
      done += storeFilled(picture, unknown, own, window, filled);
      onProgress(done, total);
    }
  }
}

/** Copies the filled pixels of `own`. They count as known from then on, so that they guide their neighbours. */
function storeFilled(picture: Picture, unknown: BitMask, own: Rect, window: Rect, filled: Plane): number {
  const { channels, widthPx, data } = picture;
  let count = 0;
  for (let y = own.y.start; y < own.y.stop; y += 1) {
    for (let x = own.x.start; x < own.x.stop; x += 1) {
      const to = y * widthPx + x;
      if (unknown.data[to] === 0) continue;
      const from = (y - window.y.start) * filled.widthPx + x - window.x.start;
      for (let k = 0; k < channels; k += 1)
        data[to * channels + k] = filled.data[from * channels + k] as number;
      unknown.data[to] = 0;
      count += 1;
    }
  }
  return count;
}

function readPlane(picture: Picture, window: Rect): Plane {
  const plane = newPlane(sizeOf(window), picture.channels);
  const length = lengthOf(window.x) * picture.channels;
  for (let y = 0; y < plane.heightPx; y += 1) {
    const from = ((window.y.start + y) * picture.widthPx + window.x.start) * picture.channels;
    plane.data.set(picture.data.subarray(from, from + length), y * length);
  }
  return plane;
}

/** The group's window filled at half the resolution. */
function guideOf(picture: Picture, hole: BitMask, group: Group, largestPx: number): Plane {
  const { window } = group.bounds;
  const known = Float32Array.from(cutBitMask(hole, window).data, (value) => 1 - value);
  const half = weightedHalves(readPlane(picture, window), known);
  const halfHole = newBitMask(half.pixels);
  for (let i = 0; i < half.weight.length; i += 1) halfHole.data[i] = (half.weight[i] as number) < 0.5 ? 1 : 0;
  if (halfHole.data.includes(0)) {
    fillInPlace(half.pixels, halfHole, largestPx, () => undefined);
  } else {
    paint(half.pixels, meanOfKnown(picture, hole));
  }
  return half.pixels;
}

function meanOfKnown(picture: Picture, hole: BitMask): Float64Array {
  const { channels, data } = picture;
  const sums = new Float64Array(channels);
  let count = 0;
  for (let i = 0; i < hole.data.length; i += 1) {
    if (hole.data[i] === 1) continue;
    count += 1;
    for (let k = 0; k < channels; k += 1) sums[k] = (sums[k] as number) + (data[i * channels + k] as number);
  }
  return sums.map((sum) => sum / Math.max(count, 1));
}

function paint(plane: Plane, colour: Float64Array): void {
  for (let i = 0; i < plane.data.length; i += 1) plane.data[i] = colour[i % plane.channels] as number;
}

/** A window of the image that is twice as large as `half`. */
function doubledWindow(half: Plane, window: Rect): Plane {
  const near: Rect = {
    x: {
      start: Math.max(0, (window.x.start >> 1) - 1),
      stop: Math.min(half.widthPx, (window.x.stop >> 1) + 2),
    },
    y: {
      start: Math.max(0, (window.y.start >> 1) - 1),
      stop: Math.min(half.heightPx, (window.y.stop >> 1) + 2),
    },
  };
  const part = readPlane(half, near);
  const whole = doubled(part, { widthPx: 2 * part.widthPx, heightPx: 2 * part.heightPx });
  const [left, top] = [2 * near.x.start, 2 * near.y.start];
  return readPlane(whole, {
    x: { start: window.x.start - left, stop: window.x.stop - left },
    y: { start: window.y.start - top, stop: window.y.stop - top },
  });
}
