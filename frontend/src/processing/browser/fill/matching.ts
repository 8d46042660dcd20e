/** Finds the nearest source patch of every target patch (imaging/inpainting/matching.py). */

import { DIMENSIONS, type PatchSpace } from './patches';
import type { Random } from './random';

/** Up to so many pairs are all compared; beyond, PatchMatch searches. The service, which is faster, compares more. */
const CHEAP_PAIRS = 4_000_000;
const STEPS_PX = [4, 1, 1] as const;

/** For each target the place of a similar source patch, and their squared distance. */
export interface Matches {
  places: Int32Array;
  distances: Float32Array;
}

/** `start` are the places at which the search begins; null for random ones. */
export function nearest(
  space: PatchSpace,
  described: Float32Array,
  start: Int32Array | null,
  random: Random,
): Matches {
  const { targets, sources } = space;
  const isCheap = targets.length * sources.length <= CHEAP_PAIRS;
  const places =
    start?.slice() ??
    Int32Array.from(targets, () => sources[random.integer(0, sources.length - 1)] as number);
  const distances = Float32Array.from(places, (place, row) => space.distance(described, row, place));
  const matches = { places, distances };
  if (isCheap) exhaust(space, described, matches);
  else search(space, described, matches, random);
  return matches;
}

/** A comparison ends as soon as it is worse than the best so far, which the first components mostly decide. */
function exhaust(space: PatchSpace, described: Float32Array, { places, distances }: Matches): void {
  const { described: sources, sources: centres } = space;
  for (let row = 0; row < places.length; row += 1) {
    let least = distances[row] as number;
    let best = -1;
    const first = row * DIMENSIONS;
    for (let n = 0, from = 0; n < centres.length; n += 1, from += DIMENSIONS) {
      let sum = 0;
      for (let d = 0; d < DIMENSIONS && sum < least; d += 4) {
        const a = (described[first + d] as number) - (sources[from + d] as number);
        const b = (described[first + d + 1] as number) - (sources[from + d + 1] as number);
        const c = (described[first + d + 2] as number) - (sources[from + d + 2] as number);
        const e = (described[first + d + 3] as number) - (sources[from + d + 3] as number);
        sum += a * a + b * b + c * c + e * e;
      }
      if (sum < least) {
        least = sum;
        best = n;
      }
    }
    if (best >= 0) {
      places[row] = centres[best] as number;
      distances[row] = least;
    }
  }
}

/** PatchMatch (Barnes et al., 2009): tries the shifts of neighbours, then random places. */
function search(space: PatchSpace, described: Float32Array, matches: Matches, random: Random): void {
  const { targets, widthPx, heightPx } = space;
  const { places, distances } = matches;
  const numberOf = new Int32Array(widthPx * heightPx).fill(-1);
  targets.forEach((place, row) => (numberOf[place] = row));
  const propose = (row: number, y: number, x: number) => {
    const place = clamped(y, heightPx) * widthPx + clamped(x, widthPx);
    if (place === places[row]) return;
    const found = space.distance(described, row, place);
    if (found >= (distances[row] as number)) return;
    places[row] = place;
    distances[row] = found;
  };
  const fromNeighbour = (row: number, down: number, right: number) => {
    const target = targets[row] as number;
    const x = target % widthPx;
    const beside = clamped((target - x) / widthPx + down, heightPx) * widthPx + clamped(x + right, widthPx);
    const other = numberOf[beside] as number;
    if (other < 0 || other === row) return;
    const theirs = places[other] as number;
    const column = theirs % widthPx;
    propose(row, (theirs - column) / widthPx - down, column - right);
  };
  for (const step of STEPS_PX) {
    // Forwards and backwards, so that a good match spreads in all directions.
    for (let row = 0; row < places.length; row += 1) {
      fromNeighbour(row, -step, 0);
      fromNeighbour(row, 0, -step);
    }
    for (let row = places.length - 1; row >= 0; row -= 1) {
      fromNeighbour(row, step, 0);
      fromNeighbour(row, 0, step);
    }
    for (let reach = Math.max(heightPx, widthPx) >> 1; reach >= 1; reach = Math.floor(reach / 3)) {
      for (let row = 0; row < places.length; row += 1) {
        const place = places[row] as number;
        const x = place % widthPx;
        const y = (place - x) / widthPx;
        propose(row, y + random.integer(-reach, reach), x + random.integer(-reach, reach));
      }
    }
  }
}

function clamped(place: number, length: number): number {
  return Math.min(Math.max(place, 0), length - 1);
}
