/** Fills one crop: first structure, then exemplars, then the detail that is missing (imaging/inpainting/crop.py). */

import { distanceTo } from './distance';
import { expectedStrength, addGrain } from './detail';
import { copied, type FilledLevel } from './exemplar';
import { copyOf, dilated, inverted, merged, newBitMask, type BitMask, type Plane } from './planes';
import { doubled, halved, levelsOf, type Level } from './pyramid';
import type { Random } from './random';
import { BLOCK_PX, continued } from './structure';

/** Farther from the known pixels, a level adds nothing to the structure of the coarser one. */
const REACH_PX = 2 * BLOCK_PX;
/** A smaller side has hardly any patches to choose from. */
const LEAST_SIDE_PX = 18;
const GUIDED_LEVELS = 3;
const THIN_PX = 5;
/** If a smaller share is farther than THIN_PX from the known pixels, structure alone is the best guess. */
const DEEP_SHARE = 0.05;

/**
 * A new plane, whose colours stay within the known range. `guide` is the same crop, filled coarsely before.
 */
export function filledCrop(
  pixels: Plane,
  hole: BitMask,
  contextPx: number,
  random: Random,
  guide: Plane | null,
): Plane {
  let levels = levelsOf(pixels, hole);
  let coarseGuide = guide;
  if (coarseGuide !== null) {
    levels = levels.slice(0, GUIDED_LEVELS);
    for (let n = 1; n < levels.length; n += 1) coarseGuide = halved(coarseGuide);
  }
  const smooth = structures(levels, coarseGuide);
  const result = isDeep(hole)
    ? withTextureOfPatches(levels, smooth, contextPx, random)
    : (smooth[0] as Plane);
  return withinKnown(pixels, result, hole);
}

/** Each level with its hole filled smoothly, in the order of the levels. `guide` is for the coarsest one. */
export function structures(levels: readonly Level[], guide: Plane | null): Plane[] {
  const filled: Plane[] = [];
  for (const level of levels.toReversed()) {
    const coarser = filled.at(-1);
    const guess = coarser === undefined ? guide : doubled(coarser, level.hole);
    const start = guess === null ? level.pixels : merged(level.pixels, guess, level.hole);
    const distance = distanceTo(inverted(level.hole), REACH_PX);
    const active = newBitMask(level.hole);
    for (let i = 0; i < distance.length; i += 1) {
      active.data[i] = level.hole.data[i] === 1 && (distance[i] as number) <= REACH_PX ? 1 : 0;
    }
    filled.push(continued(start, level.hole, active));
  }
  return filled.reverse();
}

/** Whether more than a small share of the hole is farther than a few pixels from the known pixels. */
function isDeep(hole: BitMask): boolean {
  const distance = distanceTo(inverted(hole), THIN_PX);
  let deep = 0;
  let count = 0;
  for (let i = 0; i < distance.length; i += 1) {
    if (hole.data[i] === 0) continue;
    count += 1;
    if (distance[i] === Infinity) deep += 1;
  }
  return deep > DEEP_SHARE * count;
}

/** The finest structure, averaged with what patches suggest, and with the detail of the patches that it lacks. */
function withTextureOfPatches(
  levels: readonly Level[],
  smooth: readonly Plane[],
  contextPx: number,
  random: Random,
): Plane {
  let before: FilledLevel | null = null;
  for (let finer = levels.length - 1; finer >= 0; finer -= 1) {
    const { hole } = levels[finer] as Level;
    const isLarge = Math.min(hole.widthPx, hole.heightPx) >= LEAST_SIDE_PX || finer === 0;
    if (!isLarge || !hole.data.includes(1)) continue;
    const near = dilated(hole, Math.max(contextPx >> finer, LEAST_SIDE_PX));
    const filled = copied({ pixels: smooth[finer] as Plane, hole }, finer, before, near, random);
    before = { ...filled, size: hole };
  }
  const finest = levels[0] as Level;
  const mean = copyOf(smooth[0] as Plane);
  if (before === null) return mean;
  for (let i = 0; i < mean.data.length; i += 1) {
    mean.data[i] = ((mean.data[i] as number) + (before.averaged.data[i] as number)) / 2;
  }
  return addGrain(mean, before.sharpest, expectedStrength(finest.pixels, finest.hole));
}

/** `filled` in the hole, each channel between the least and the greatest known value. */
function withinKnown(pixels: Plane, filled: Plane, hole: BitMask): Plane {
  const { channels, data } = pixels;
  const least = new Float32Array(channels).fill(Infinity);
  const most = new Float32Array(channels).fill(-Infinity);
  for (let i = 0; i < data.length; i += 1) {
    if (hole.data[Math.floor(i / channels)] === 1) continue;
    const k = i % channels;
    least[k] = Math.min(least[k] as number, data[i] as number);
    most[k] = Math.max(most[k] as number, data[i] as number);
  }
  const result = merged(pixels, filled, hole);
  if (least[0] === Infinity) return result; // nothing is known
  for (let i = 0; i < data.length; i += 1) {
    const k = i % channels;
    result.data[i] = Math.min(Math.max(result.data[i] as number, least[k] as number), most[k] as number);
  }
  return result;
}
