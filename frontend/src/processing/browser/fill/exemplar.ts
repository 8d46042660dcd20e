/**
 * Copies texture and structure from elsewhere in the image, from coarse to fine (imaging/inpainting/exemplar.py). For
 * each patch that touches the hole, the most similar known patch is searched, by colour and by texture. The pixels that
 * those patches suggest are averaged by similarity, several times (Wexler, Shechtman and Irani, 2007).
 */

import type { Size } from '../../../imaging/geometry';
import { distanceTo } from './distance';
import { expectedStrength } from './detail';
import { nearest, type Matches } from './matching';
import { FAR, knownPatches, PatchSpace, placesOf, RADIUS_PX } from './patches';
import { copyOf, inverted, merged, newPlane, type BitMask, type Plane } from './planes';
import { doubled, type Level } from './pyramid';
import type { Random } from './random';

/** For the finest level, the one above, and all others: large features are decided on coarse levels, at little cost. */
const ROUNDS = [3, 4, 6] as const;
const TEXTURE_WEIGHT = 2;
/** How much less a pixel is trusted with each pixel of distance from the known ones (Wexler et al.). */
const TRUST_PER_PX = 1.3;
const DEEPEST_PX = 24;
/** No weight is zero, so that there is a result even if no patch is similar. */
const MIN_SIMILARITY = 1e-6;

export interface Filled {
  /** The weighted mean of what patches suggest. */
  averaged: Plane;
  /** What the single most similar patch suggests. */
  sharpest: Plane;
  /** For each pixel the place of its source patch, or -1. */
  places: Int32Array;
}

/**
 * Fills one level, whose hole contains a guess. `finer` is the number of finer levels, `before` the result of the next
 * coarser level, and `near` the area in which sources may lie.
 */
export function copied(
  level: Level,
  finer: number,
  before: FilledLevel | null,
  near: BitMask,
  random: Random,
): Filled {
  const { hole } = level;
  const guess = before === null ? level.pixels : merged(level.pixels, doubled(before.averaged, hole), hole);
  const nowhere = new Int32Array(hole.data.length).fill(-1);
  const sources = knownPatches(hole, near);
  if (sources.length === 0) return { averaged: guess, sharpest: guess, places: nowhere };
  const texture = expectedStrength(guess, hole).map((value) => TEXTURE_WEIGHT * value);
  const space = new PatchSpace(withTexture(guess, texture), hole, sources, random);
  const depths = distanceTo(inverted(hole), DEEPEST_PX);
  const trust = Float32Array.from(
    space.targets,
    (place) => TRUST_PER_PX ** -Math.min(depths[place] as number, DEEPEST_PX),
  );
  let places = before === null ? null : finerPlaces(before, space);
  let voted: Voted = { averaged: guess, sharpest: guess };
  const rounds = ROUNDS[Math.min(finer, ROUNDS.length - 1)] as number;
  for (let round = 0; round < rounds; round += 1) {
    const described = space.describeTargets(withTexture(voted.averaged, texture));
    const matches = nearest(space, described, places, random);
    places = matches.places;
    const spread = 2 * upperQuartile(matches.distances) + 1e-3;
    const weights = trust.map(
      (own, i) => own * (Math.exp(-(matches.distances[i] as number) / spread) + MIN_SIMILARITY),
    );
    voted = vote(voted.averaged, hole, space, matches, weights);
  }
  space.targets.forEach((place, row) => (nowhere[place] = places?.[row] ?? -1));
  return { ...voted, places: nowhere };
}

/** The result of a coarser level. */
export type FilledLevel = Filled & { size: Size };

type Voted = Omit<Filled, 'places'>;

function withTexture(pixels: Plane, texture: Float32Array): Plane {
  const { channels } = pixels;
  const features = newPlane(pixels, channels + 1);
  for (let i = 0; i < texture.length; i += 1) {
    for (let k = 0; k < channels; k += 1) {
      features.data[i * (channels + 1) + k] = pixels.data[i * channels + k] as number;
    }
    features.data[i * (channels + 1) + channels] = texture[i] as number;
  }
  return features;
}

/** The places at which the search begins: twice those of the coarser level; null if it has none. */
function finerPlaces({ places, size }: FilledLevel, space: PatchSpace): Int32Array | null {
  const most = places.reduce((found, place) => Math.max(found, place), -1);
  if (most < 0) return null;
  return Int32Array.from(space.targets, (target) => {
    const column = target % space.widthPx;
    const row = (target - column) / space.widthPx;
    const y = Math.min(row >> 1, size.heightPx - 1);
    const x = Math.min(column >> 1, size.widthPx - 1);
    const own = places[y * size.widthPx + x] as number;
    const found = own < 0 ? most : own;
    const sourceColumn = found % size.widthPx;
    const sourceRow = (found - sourceColumn) / size.widthPx;
    const finerRow = Math.min(2 * sourceRow + (row & 1), space.heightPx - 1);
    return finerRow * space.widthPx + Math.min(2 * sourceColumn + (column & 1), space.widthPx - 1);
  });
}

/** Each pixel of the hole as the weighted mean of the patches over it, and as the most similar of them. */
function vote(
  pixels: Plane,
  hole: BitMask,
  space: PatchSpace,
  matches: Matches,
  weights: Float32Array,
): Voted {
  const { widthPx, heightPx, channels, data } = pixels;
  const { places, distances } = matches;
  const numberOf = new Int32Array(widthPx * heightPx).fill(-1);
  space.targets.forEach((place, row) => (numberOf[place] = row));
  const averaged = copyOf(pixels);
  const sharpest = copyOf(pixels);
  const mean = new Float64Array(channels);
  for (const place of placesOf(hole)) {
    const column = place % widthPx;
    const row = (place - column) / widthPx;
    const right = Math.min(column + RADIUS_PX, widthPx - 1);
    const bottom = Math.min(row + RADIUS_PX, heightPx - 1);
    let total = 0;
    let least = Infinity;
    let best = place;
    mean.fill(0);
    for (let y = Math.max(row - RADIUS_PX, 0); y <= bottom; y += 1) {
      for (let x = Math.max(column - RADIUS_PX, 0); x <= right; x += 1) {
        const patch = numberOf[y * widthPx + x] as number;
        const distance = patch < 0 ? FAR : (distances[patch] as number);
        if (distance >= FAR) continue; // no source was found for it
        const source = (places[patch] as number) - (y - row) * widthPx - (x - column);
        const weight = weights[patch] as number;
        total += weight;
        for (let k = 0; k < channels; k += 1) {
          mean[k] = (mean[k] as number) + weight * (data[source * channels + k] as number);
        }
        if (distance < least) {
          least = distance;
          best = source;
        }
      }
    }
    if (total === 0) continue;
    for (let k = 0; k < channels; k += 1) {
      averaged.data[place * channels + k] = (mean[k] as number) / total;
      sharpest.data[place * channels + k] = data[best * channels + k] as number;
    }
  }
  return { averaged, sharpest };
}

/** Interpolated linearly between the two nearest values. */
function upperQuartile(values: Float32Array): number {
  const sorted = values.slice().sort();
  const place = 0.75 * (sorted.length - 1);
  const floor = Math.floor(place);
  const below = sorted[floor] as number;
  return below + (place - floor) * ((sorted[Math.min(floor + 1, sorted.length - 1)] as number) - below);
}
