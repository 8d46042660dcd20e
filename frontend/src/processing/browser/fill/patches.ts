/** Describes square patches by a few numbers each (imaging/inpainting/patches.py). */

import { dilated, type BitMask, type Plane } from './planes';
import type { Random } from './random';

export const RADIUS_PX = 3;
const SIDE_PX = 2 * RADIUS_PX + 1;
/** Enough for the components of patches of some 200 numbers. */
const SAMPLES = 1500;
/** Principal components of a patch, a multiple of 4. The rest is noise, which must not decide the nearest one. */
export const DIMENSIONS = 20;
const ITERATIONS = 4;
/** Squared distance to a place that is no source. */
export const FAR = 1e13;

/** Describes the patches of one image: the sources once, the targets as they change. Places are row * width + column. */
export class PatchSpace {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Centres of patches that are wholly known. */
  readonly sources: Int32Array;
  /** Centres of patches that touch the hole. */
  readonly targets: Int32Array;
  /** DIMENSIONS numbers for each source. */
  readonly described: Float32Array;
  private readonly rowOf: Int32Array;
  private readonly mean: Float64Array;
  /** One component after another. */
  private readonly basis: Float64Array;

  /** `sources` has at least one place. */
  constructor(features: Plane, hole: BitMask, sources: Int32Array, random: Random) {
    this.widthPx = hole.widthPx;
    this.heightPx = hole.heightPx;
    this.sources = sources;
    this.targets = placesOf(dilated(hole, RADIUS_PX));
    const length = features.channels * SIDE_PX ** 2;
    const samples = patchesAt(features, random.sample(sources, SAMPLES));
    this.mean = meanOf(samples, length);
    this.basis = principal(samples, length, this.mean, random);
    this.rowOf = new Int32Array(hole.data.length).fill(-1);
    sources.forEach((place, row) => (this.rowOf[place] = row));
    this.described = this.describe(features, sources);
  }

  /** DIMENSIONS numbers for each target, as `features` has it now. */
  describeTargets(features: Plane): Float32Array {
    return this.describe(features, this.targets);
  }

  /** Squared distance of the target that `described` has at `row` to the source at `place`; FAR if no source is there. */
  distance(described: Float32Array, row: number, place: number): number {
    const source = this.rowOf[place] as number;
    if (source < 0) return FAR;
    const sources = this.described;
    let sum = 0;
    for (let a = row * DIMENSIONS, b = source * DIMENSIONS; a < (row + 1) * DIMENSIONS; a += 1, b += 1) {
      const difference = (described[a] as number) - (sources[b] as number);
      sum += difference * difference;
    }
    return sum;
  }

  private describe(features: Plane, places: Int32Array): Float32Array {
    const { basis, mean } = this;
    const length = mean.length;
    const result = new Float32Array(places.length * DIMENSIONS);
    const patch = new Float64Array(length);
    for (let n = 0; n < places.length; n += 1) {
      readPatch(features, places[n] as number, patch, 0);
      for (let i = 0; i < length; i += 1) patch[i] = (patch[i] as number) - (mean[i] as number);
      // Four at a time, so that a patch is read five times instead of twenty.
      for (let d = 0; d < DIMENSIONS; d += 4) {
        let [a, b, c, e] = [0, 0, 0, 0];
        for (let i = 0, at = d * length; i < length; i += 1, at += 1) {
          const value = patch[i] as number;
          a += value * (basis[at] as number);
          b += value * (basis[at + length] as number);
          c += value * (basis[at + 2 * length] as number);
          e += value * (basis[at + 3 * length] as number);
        }
        result[n * DIMENSIONS + d] = a;
        result[n * DIMENSIONS + d + 1] = b;
        result[n * DIMENSIONS + d + 2] = c;
        result[n * DIMENSIONS + d + 3] = e;
      }
    }
    return result;
  }
}

/** Centres, within `near`, of the patches that are wholly known and inside the image. */
export function knownPatches(hole: BitMask, near: BitMask): Int32Array {
  const { widthPx, heightPx } = hole;
  const usable = dilated(hole, RADIUS_PX);
  for (let i = 0; i < usable.data.length; i += 1) {
    const x = i % widthPx;
    const y = (i - x) / widthPx;
    const isInside = Math.min(x, y, widthPx - 1 - x, heightPx - 1 - y) >= RADIUS_PX;
    usable.data[i] = isInside && usable.data[i] === 0 && near.data[i] === 1 ? 1 : 0;
  }
  return placesOf(usable);
}

export function placesOf(mask: BitMask): Int32Array {
  const places: number[] = [];
  for (let i = 0; i < mask.data.length; i += 1) if (mask.data[i] === 1) places.push(i);
  return Int32Array.from(places);
}

function patchesAt(features: Plane, places: Int32Array): Float64Array {
  const length = features.channels * SIDE_PX ** 2;
  const patches = new Float64Array(places.length * length);
  places.forEach((place, n) => readPatch(features, place, patches, n * length));
  return patches;
}

/** Reads a patch. Pixels outside the image are mirrored, edge pixels included. */
function readPatch(features: Plane, place: number, target: Float64Array, offset: number): void {
  const { widthPx, heightPx, channels, data } = features;
  const column = place % widthPx;
  const row = (place - column) / widthPx;
  let to = offset;
  for (let y = row - RADIUS_PX; y <= row + RADIUS_PX; y += 1) {
    const line = folded(y, heightPx) * widthPx;
    for (let x = column - RADIUS_PX; x <= column + RADIUS_PX; x += 1) {
      const from = (line + folded(x, widthPx)) * channels;
      for (let k = 0; k < channels; k += 1, to += 1) target[to] = data[from + k] as number;
    }
  }
}

function folded(place: number, length: number): number {
  if (place >= 0 && place < length) return place;
  const wrapped = ((place % (2 * length)) + 2 * length) % (2 * length);
  return Math.min(wrapped, 2 * length - 1 - wrapped);
}

function meanOf(samples: Float64Array, length: number): Float64Array {
  const sums = new Float64Array(length);
  for (let at = 0; at < samples.length; at += length) {
    for (let i = 0; i < length; i += 1) sums[i] = (sums[i] as number) + (samples[at + i] as number);
  }
  return sums.map((sum) => (sum * length) / samples.length);
}

/** The principal components, approximated by orthogonal iteration. */
function principal(samples: Float64Array, length: number, mean: Float64Array, random: Random): Float64Array {
  const covariance = covarianceOf(samples, length, mean);
  let basis = Float64Array.from({ length: length * DIMENSIONS }, () => random.normal());
  for (let round = 0; round < ITERATIONS; round += 1) {
    const next = new Float64Array(basis.length);
    for (let d = 0; d < DIMENSIONS; d += 1) {
      for (let i = 0; i < length; i += 1) {
        let sum = 0;
        for (let j = 0; j < length; j += 1) {
          sum += (covariance[i * length + j] as number) * (basis[d * length + j] as number);
        }
        next[d * length + i] = sum;
      }
    }
    orthonormalise(next, length);
    basis = next;
  }
  return basis;
}

/** The covariance of the samples, times their number. */
function covarianceOf(samples: Float64Array, length: number, mean: Float64Array): Float64Array {
  const count = samples.length / length;
  // Stored by column, so that each product is a sum along two rows of memory.
  const columns = new Float64Array(samples.length);
  for (let n = 0; n < count; n += 1) {
    for (let i = 0; i < length; i += 1) {
      columns[i * count + n] = (samples[n * length + i] as number) - (mean[i] as number);
    }
  }
  const covariance = new Float64Array(length * length);
  for (let i = 0; i < length; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      let sum = 0;
      for (let a = i * count, b = j * count; a < (i + 1) * count; a += 1, b += 1) {
        sum += (columns[a] as number) * (columns[b] as number);
      }
      covariance[i * length + j] = sum;
      covariance[j * length + i] = sum;
    }
  }
  return covariance;
}

/** Makes the components orthonormal in place (modified Gram-Schmidt). Dependent ones become zero. */
function orthonormalise(basis: Float64Array, length: number): void {
  for (let d = 0; d < DIMENSIONS; d += 1) {
    const own = basis.subarray(d * length, (d + 1) * length);
    const before = product(own, own);
    for (let e = 0; e < d; e += 1) {
      const other = basis.subarray(e * length, (e + 1) * length);
      const along = product(own, other);
      for (let i = 0; i < length; i += 1) own[i] = (own[i] as number) - along * (other[i] as number);
    }
    const left = product(own, own);
    const scale = left > 1e-10 * before ? 1 / Math.sqrt(left) : 0;
    for (let i = 0; i < length; i += 1) own[i] = (own[i] as number) * scale;
  }
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
