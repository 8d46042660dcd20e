/**
 * Continues edges and shades through a hole by a sparse representation in overlapping DCT blocks
 * (imaging/inpainting/structure.py). It alternates between a hard threshold, lowered step by step, and restoring the
 * known pixels (Guleryuz, Nonlinear approximation based image recovery, 2006).
 */

import { copyOf, countIn, summed, type BitMask, type Plane } from './planes';

export const BLOCK_PX = 16;
const STEP_PX = 4;
const ROUNDS = 20;
/** For values up to 255. docs/adr/0014-inpainting-fill.md compares them with others. */
const FIRST_THRESHOLD = 200;
const LAST_THRESHOLD = 4;
const LEAST_BLOCK_PX = 4;

/** A new plane with the surroundings continued into `active`, a part of the hole. The rest of it keeps its guess. */
export function continued(start: Plane, hole: BitMask, active: BitMask): Plane {
  const { widthPx, heightPx, channels } = start;
  const block = Math.min(BLOCK_PX, widthPx, heightPx);
  const result = copyOf(start);
  if (block < LEAST_BLOCK_PX || !active.data.includes(1)) return result;
  const mixing = cosines(channels); // decorrelates the colours
  const planes = unmixed(start, mixing);
  const corners = blocksTouching(active, block);
  const knownShares = knownSharesOf(hole, corners, block);
  const transform = new BlockTransform(block);
  const area = widthPx * heightPx;
  const sums = Array.from({ length: channels }, () => new Float32Array(area));
  const total = new Float32Array(area);
  const coefficients = Array.from({ length: channels }, () => new Float64Array(block * block));
  for (let round = 0; round < ROUNDS; round += 1) {
    const threshold = FIRST_THRESHOLD * (LAST_THRESHOLD / FIRST_THRESHOLD) ** (round / (ROUNDS - 1));
    total.fill(0);
    for (const sum of sums) sum.fill(0);
    corners.forEach((corner, n) => {
      let kept = 0;
      coefficients.forEach((own, k) => {
        transform.forward(planes[k] as Float32Array, corner, widthPx, own);
        kept += thresholded(own, threshold);
      });
      // A block that few coefficients explain has more weight (Guleryuz, part II).
      const weight = (knownShares[n] as number) / (1 + kept);
      coefficients.forEach((own, k) => {
        transform.addInverse(own, weight, sums[k] as Float32Array, corner, widthPx);
      });
      for (let y = 0; y < block; y += 1) {
        const row = corner + y * widthPx;
        for (let at = row; at < row + block; at += 1) total[at] = (total[at] as number) + weight;
      }
    });
    for (let at = 0; at < area; at += 1) {
      if (active.data[at] === 0) continue;
      for (let k = 0; k < channels; k += 1) {
        (planes[k] as Float32Array)[at] = ((sums[k] as Float32Array)[at] as number) / (total[at] as number);
      }
    }
  }
  for (let at = 0; at < area; at += 1) {
    for (let k = 0; k < channels; k += 1) {
      let value = 0;
      for (let j = 0; j < channels; j += 1) {
        value += ((planes[j] as Float32Array)[at] as number) * (mixing[j * channels + k] as number);
      }
      result.data[at * channels + k] = value;
    }
  }
  return result;
}

function unmixed(start: Plane, mixing: Float32Array): Float32Array[] {
  const { channels, data } = start;
  return Array.from({ length: channels }, (_, k) => {
    const plane = new Float32Array(data.length / channels);
    for (let at = 0; at < plane.length; at += 1) {
      let value = 0;
      for (let j = 0; j < channels; j += 1) {
        value += (mixing[k * channels + j] as number) * (data[at * channels + j] as number);
      }
      plane[at] = value;
    }
    return plane;
  });
}

/** Sets small coefficients to zero, in place, except the mean. Returns how many are left. */
function thresholded(coefficients: Float64Array, threshold: number): number {
  let kept = 1;
  for (let i = 1; i < coefficients.length; i += 1) {
    if (Math.abs(coefficients[i] as number) > threshold) kept += 1;
    else coefficients[i] = 0;
  }
  return kept;
}

/**
 * The two-dimensional DCT of blocks of a plane, and its inverse. The cosines are even or odd about the middle, so that
 * half of the products suffice. For an odd side, the middle counts half in each of two places.
 */
class BlockTransform {
  private readonly block: number;
  private readonly half: number;
  private readonly basis: Float64Array;
  private readonly between: Float64Array;
  private readonly even: Float64Array;
  private readonly odd: Float64Array;

  constructor(block: number) {
    this.block = block;
    this.half = Math.ceil(block / 2);
    this.basis = Float64Array.from(cosines(block));
    this.between = new Float64Array(block * block);
    this.even = new Float64Array(this.half);
    this.odd = new Float64Array(this.half);
  }

  forward(plane: Float32Array, corner: number, widthPx: number, target: Float64Array): void {
    const { block, between } = this;
    for (let y = 0; y < block; y += 1) this.forwardLine(plane, corner + y * widthPx, between, y);
    for (let f = 0; f < block; f += 1) this.forwardLine(between, f * block, target, f);
  }

  /** From `block` values in a row to as many that lie `block` apart. */
  private forwardLine(
    source: Float32Array | Float64Array,
    from: number,
    target: Float64Array,
    to: number,
  ): void {
    const { block, half, basis, even, odd } = this;
    for (let x = 0; x < half; x += 1) {
      const left = source[from + x] as number;
      const right = source[from + block - 1 - x] as number;
      const share = 2 * x + 1 === block ? 0.5 : 1;
      even[x] = share * (left + right);
      odd[x] = left - right;
    }
    for (let f = 0; f < block; f += 1) {
      const folded = f % 2 === 0 ? even : odd;
      let sum = 0;
      for (let x = 0, at = f * block; x < half; x += 1, at += 1)
        sum += (basis[at] as number) * (folded[x] as number);
      target[f * block + to] = sum;
    }
  }

  /** Adds `weight` times the block that has these coefficients. Most of them are zero. */
  addInverse(
    coefficients: Float64Array,
    weight: number,
    target: Float32Array,
    corner: number,
    widthPx: number,
  ): void {
    const { block, half, basis, between } = this;
    for (let g = 0; g < block; g += 1) {
      const row = g * block;
      const used = lastUsed(coefficients, row, block);
      for (let x = 0; x < half; x += 1) {
        let even = 0;
        let odd = 0;
        for (let f = 0; f <= used; f += 2)
          even += (coefficients[row + f] as number) * (basis[f * block + x] as number);
        for (let f = 1; f <= used; f += 2)
          odd += (coefficients[row + f] as number) * (basis[f * block + x] as number);
        between[x * block + g] = even + odd;
        between[(block - 1 - x) * block + g] = even - odd;
      }
    }
    for (let x = 0; x < block; x += 1) {
      const line = x * block;
      const used = lastUsed(between, line, block);
      for (let y = 0; y < half; y += 1) {
        let even = 0;
        let odd = 0;
        for (let g = 0; g <= used; g += 2)
          even += (between[line + g] as number) * (basis[g * block + y] as number);
        for (let g = 1; g <= used; g += 2)
          odd += (between[line + g] as number) * (basis[g * block + y] as number);
        const top = corner + y * widthPx + x;
        target[top] = (target[top] as number) + weight * (even + odd);
        if (2 * y + 1 === block) continue;
        const bottom = corner + (block - 1 - y) * widthPx + x;
        target[bottom] = (target[bottom] as number) + weight * (even - odd);
      }
    }
  }
}

/** The last place of a row of coefficients that is not zero; -1 if all are zero. */
function lastUsed(coefficients: Float64Array, row: number, block: number): number {
  let last = block - 1;
  while (last >= 0 && coefficients[row + last] === 0) last -= 1;
  return last;
}

/** The orthonormal DCT-II of `size` values as a matrix: a row for each frequency, a column for each place. */
function cosines(size: number): Float32Array {
  return Float32Array.from({ length: size * size }, (_, i) => {
    const place = i % size;
    const frequency = (i - place) / size;
    if (frequency === 0) return Math.sqrt(1 / size);
    return Math.sqrt(2 / size) * Math.cos((Math.PI * (2 * place + 1) * frequency) / (2 * size));
  });
}

/** Places of the top left pixels of the blocks that touch the mask, on a grid that reaches all edges. */
function blocksTouching(mask: BitMask, block: number): number[] {
  const { widthPx, heightPx } = mask;
  const sums = summed(mask);
  const corners: number[] = [];
  for (const y of gridOf(heightPx, block)) {
    for (const x of gridOf(widthPx, block)) {
      if (countIn(sums, widthPx, x, y, x + block, y + block) > 0) corners.push(y * widthPx + x);
    }
  }
  return corners;
}

function gridOf(sidePx: number, block: number): number[] {
  const places: number[] = [];
  for (let place = 0; place < sidePx - block; place += STEP_PX) places.push(place);
  return [...places, sidePx - block];
}

function knownSharesOf(hole: BitMask, corners: readonly number[], block: number): Float32Array {
  const sums = summed(hole);
  return Float32Array.from(corners, (corner) => {
    const x = corner % hole.widthPx;
    const y = (corner - x) / hole.widthPx;
    return 1.02 - countIn(sums, hole.widthPx, x, y, x + block, y + block) / block ** 2;
  });
}
