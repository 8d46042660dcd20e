/** Square patches described by a few numbers each: imaging/inpainting/patches.py. */

import { dilated, type Mask, type Plane } from './planes';
import type { Random } from './random';

export const RADIUS_PX = 3;
const SIDE_PX = 2 * RADIUS_PX + 1;
const SAMPLES = 4000;
/** Principal components of a patch; the rest is noise, which nearest neighbours should not follow. */
export const DIMENSIONS = 20;
const ITERATIONS = 4;
/** Squared distance to a place that is no source. */
export const FAR = 1e13;

/** Describes patches of one image: those of `sources`, and any that change. Places are row * width + column. */
export class PatchSpace {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Centres of patches that are wholly known. */
  readonly sources: Int32Array;
  /** Centres of patches that see the hole. */
  readonly targets: Int32Array;
  /** Of each source, DIMENSIONS numbers. */
  readonly described: Float32Array;
  private readonly rowOf: Int32Array;
  private readonly mean: Float32Array;
  private readonly basis: Float32Array;

  /** sources: at least one. */
  constructor(features: Plane, hole: Mask, sources: Int32Array, random: Random) {
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

  /** Of each target as it is in `features` now, DIMENSIONS numbers. */
  describeTargets(features: Plane): Float32Array {
    return this.describe(features, this.targets);
  }

  /** Squared distance of the target that `described` has at `row` to the source at `place`; FAR if it is none. */
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
    const length = this.mean.length;
    const { basis, mean } = this;
    const result = new Float32Array(places.length * DIMENSIONS);
    const patch = new Float32Array(length);
    const sums = new Float64Array(DIMENSIONS);
    for (let n = 0; n < places.length; n += 1) {
      readPatch(features, places[n] as number, patch, 0);
      sums.fill(0);
      for (let i = 0; i < length; i += 1) {
        const value = (patch[i] as number) - (mean[i] as number);
        const row = i * DIMENSIONS;
        for (let d = 0; d < DIMENSIONS; d += 1)
          sums[d] = (sums[d] as number) + value * (basis[row + d] as number);
      }
      result.set(sums, n * DIMENSIONS);
    }
    return result;
  }
}

/** Centres of the patches that are wholly known and inside the image, as far as they lie in `near`. */
export function knownPatches(hole: Mask, near: Mask): Int32Array {
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

export function placesOf(mask: Mask): Int32Array {
  const places: number[] = [];
  for (let i = 0; i < mask.data.length; i += 1) if (mask.data[i] === 1) places.push(i);
  return Int32Array.from(places);
}

function patchesAt(features: Plane, places: Int32Array): Float32Array {
  const length = features.channels * SIDE_PX ** 2;
  const patches = new Float32Array(places.length * length);
  places.forEach((place, n) => readPatch(features, place, patches, n * length));
  return patches;
}

/** What lies outside is mirrored, edge pixels included. */
function readPatch(features: Plane, place: number, target: Float32Array, offset: number): void {
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

function meanOf(samples: Float32Array, length: number): Float32Array {
  const sums = new Float64Array(length);
  for (let at = 0; at < samples.length; at += length) {
    for (let i = 0; i < length; i += 1) sums[i] = (sums[i] as number) + (samples[at + i] as number);
  }
  return Float32Array.from(sums, (sum) => (sum * length) / samples.length);
}

/** About the principal components, `length` x DIMENSIONS, by orthogonal iteration. */
function principal(samples: Float32Array, length: number, mean: Float32Array, random: Random): Float32Array {
  const covariance = covarianceOf(samples, length, mean);
  let basis = Float32Array.from({ length: length * DIMENSIONS }, () => random.normal());
  for (let round = 0; round < ITERATIONS; round += 1) {
    const next = new Float32Array(basis.length);
    for (let i = 0; i < length; i += 1) {
      for (let j = 0; j < length; j += 1) {
        const value = covariance[i * length + j] as number;
        for (let d = 0; d < DIMENSIONS; d += 1) {
          next[i * DIMENSIONS + d] =
            (next[i * DIMENSIONS + d] as number) + value * (basis[j * DIMENSIONS + d] as number);
        }
      }
    }
    orthonormalise(next, length);
    basis = next;
  }
  return basis;
}

function covarianceOf(samples: Float32Array, length: number, mean: Float32Array): Float32Array {
  const covariance = new Float32Array(length * length);
  const centred = new Float32Array(length);
  for (let at = 0; at < samples.length; at += length) {
    for (let i = 0; i < length; i += 1) centred[i] = (samples[at + i] as number) - (mean[i] as number);
    for (let i = 0; i < length; i += 1) {
      const value = centred[i] as number;
      for (let j = i; j < length; j += 1) {
        covariance[i * length + j] = (covariance[i * length + j] as number) + value * (centred[j] as number);
      }
    }
  }
  for (let i = 0; i < length; i += 1) {
    for (let j = 0; j < i; j += 1) covariance[i * length + j] = covariance[j * length + i] as number;
  }
  return covariance;
}

/** The columns, in place (modified Gram-Schmidt); those that nothing is left of become zero. */
function orthonormalise(basis: Float32Array, length: number): void {
  const at = (i: number, d: number) => basis[i * DIMENSIONS + d] as number;
  for (let d = 0; d < DIMENSIONS; d += 1) {
    let before = 0;
    for (let i = 0; i < length; i += 1) before += at(i, d) ** 2;
    for (let e = 0; e < d; e += 1) {
      let along = 0;
      for (let i = 0; i < length; i += 1) along += at(i, d) * at(i, e);
      for (let i = 0; i < length; i += 1) basis[i * DIMENSIONS + d] = at(i, d) - along * at(i, e);
    }
    let left = 0;
    for (let i = 0; i < length; i += 1) left += at(i, d) ** 2;
    const scale = left > 1e-10 * before ? 1 / Math.sqrt(left) : 0;
    for (let i = 0; i < length; i += 1) basis[i * DIMENSIONS + d] = at(i, d) * scale;
  }
}
