/** An image with a hole at coarser and coarser resolutions, and blur (imaging/inpainting/pyramid.py). */

import { inverted, newBitMask, newPlane, type BitMask, type Plane } from './planes';
import type { Size } from '../../../imaging/geometry';

export interface Level {
  /** The values inside the hole are finite and mean nothing. */
  pixels: Plane;
  hole: BitMask;
}

/**
 * The image itself, then halved until no hole is left or the image is one pixel. A coarse pixel is the mean of the known
 * pixels below it, and belongs to the hole if fewer than half of them are known. So every hole is narrow on some level.
 */
export function levelsOf(pixels: Plane, hole: BitMask): Level[] {
  const levels = [{ pixels, hole }];
  let weight = Float32Array.from(inverted(hole).data);
  for (
    let last = { pixels, hole };
    last.hole.data.includes(1) && Math.max(last.hole.widthPx, last.hole.heightPx) > 1;
  ) {
    const half = weightedHalves(last.pixels, weight);
    weight = half.weight;
    const coarse = newBitMask(half.pixels);
    for (let i = 0; i < weight.length; i += 1) coarse.data[i] = (weight[i] as number) < 0.5 ? 1 : 0;
    last = { pixels: half.pixels, hole: coarse };
    levels.push(last);
  }
  return levels;
}

/** At half its size, rounded up. */
export function halved(pixels: Plane): Plane {
  return weightedHalves(pixels, new Float32Array(pixels.widthPx * pixels.heightPx).fill(1)).pixels;
}

/** Weighted means of 2x2 cells, and the mean weights. The last row or column of an odd side is a cell of its own. */
export function weightedHalves(
  pixels: Plane,
  weight: Float32Array,
): { pixels: Plane; weight: Float32Array<ArrayBuffer> } {
  const { widthPx, heightPx, channels, data } = pixels;
  const half = newPlane({ widthPx: Math.ceil(widthPx / 2), heightPx: Math.ceil(heightPx / 2) }, channels);
  const share = new Float32Array(half.widthPx * half.heightPx);
  const sums = new Float64Array(channels);
  for (let y = 0, to = 0; y < half.heightPx; y += 1) {
    const bottom = Math.min(2 * y + 2, heightPx);
    for (let x = 0; x < half.widthPx; x += 1, to += 1) {
      const right = Math.min(2 * x + 2, widthPx);
      let total = 0;
      let count = 0;
      sums.fill(0);
      for (let row = 2 * y; row < bottom; row += 1) {
        for (let column = 2 * x; column < right; column += 1, count += 1) {
          const at = row * widthPx + column;
          const own = weight[at] as number;
          total += own;
          for (let k = 0; k < channels; k += 1)
            sums[k] = (sums[k] as number) + own * (data[at * channels + k] as number);
        }
      }
      // Cells at an odd edge have fewer than four pixels, and count as much as others.
      share[to] = total / count;
      for (let k = 0; k < channels; k += 1)
        half.data[to * channels + k] = (sums[k] as number) / Math.max(total, 1e-6);
    }
  }
  return { pixels: half, weight: share };
}

/** Bilinear interpolation to twice the size, cut to `size`. */
export function doubled(coarse: Plane, size: Size): Plane {
  const { channels, widthPx, heightPx } = coarse;
  const result = newPlane(size, channels);
  for (let y = 0; y < size.heightPx; y += 1) {
    const top = (y >> 1) * widthPx;
    const beside = Math.min(Math.max((y >> 1) + (y & 1 ? 1 : -1), 0), heightPx - 1) * widthPx;
    for (let x = 0; x < size.widthPx; x += 1) {
      const left = x >> 1;
      const next = Math.min(Math.max(left + (x & 1 ? 1 : -1), 0), widthPx - 1);
      for (let k = 0; k < channels; k += 1) {
        const near =
          0.75 * (coarse.data[(top + left) * channels + k] as number) +
          0.25 * (coarse.data[(beside + left) * channels + k] as number);
        const far =
          0.75 * (coarse.data[(top + next) * channels + k] as number) +
          0.25 * (coarse.data[(beside + next) * channels + k] as number);
        result.data[(y * size.widthPx + x) * channels + k] = 0.75 * near + 0.25 * far;
      }
    }
  }
  return result;
}

/** Gaussian blur of one channel along both axes. Pixels outside the image repeat the edge. */
export function blurred(values: Float32Array, { widthPx, heightPx }: Size, sigmaPx: number): Float32Array {
  const reach = Math.ceil(3 * sigmaPx);
  const taps = Float32Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-0.5 * ((i - reach) / sigmaPx) ** 2),
  );
  const total = taps.reduce((sum, tap) => sum + tap, 0);
  taps.forEach((tap, i) => (taps[i] = tap / total));
  const down = new Float32Array(values.length);
  for (let y = 0; y < heightPx; y += 1) {
    for (let tap = -reach; tap <= reach; tap += 1) {
      const weight = taps[tap + reach] as number;
      const row = Math.min(Math.max(y + tap, 0), heightPx - 1) * widthPx;
      for (let x = 0; x < widthPx; x += 1) {
        down[y * widthPx + x] = (down[y * widthPx + x] as number) + weight * (values[row + x] as number);
      }
    }
  }
  const result = new Float32Array(values.length);
  for (let y = 0; y < heightPx; y += 1) {
    const row = y * widthPx;
    for (let x = 0; x < widthPx; x += 1) {
      let sum = 0;
      for (let tap = -reach; tap <= reach; tap += 1) {
        sum +=
          (taps[tap + reach] as number) * (down[row + Math.min(Math.max(x + tap, 0), widthPx - 1)] as number);
      }
      result[row + x] = sum;
    }
  }
  return result;
}
