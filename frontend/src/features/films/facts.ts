/** What follows from what is known of a film. */

import type { FilmFacts } from '../../files/film';
import type { Size } from '../../imaging/geometry';
import type { FilmPart } from '../../processing/films';
import type { TargetSize } from '../../processing/options';
import { targetSize } from '../../processing/targetSize';

/** Browsers do not tell the rate of a film. */
export const ASSUMED_RATE = 25;
export const TRIAL_S = 3;

/** About how many frames; null if that is not known. */
export function framesOf({ frames, durationS }: FilmFacts): number | null {
  if (frames !== null) return frames;
  return durationS === null ? null : Math.max(1, Math.round(durationS * ASSUMED_RATE));
}

/** The size of the result. Encoders take even sides alone, so that the last row or column may go. */
export function filmSize(source: Size, target: TargetSize): Size {
  const { widthPx, heightPx } = targetSize(source, target);
  return { widthPx: even(widthPx), heightPx: even(heightPx) };
}

function even(px: number): number {
  return Math.max(2, Math.floor(px / 2) * 2);
}

/** Places are known to about so much. */
const FUZZ_S = 0.001;

/**
 * Where the trial begins: just before the frame that is seen, which is then its first one, but not so late that
 * less than its length is left.
 */
export function trialStart(timeS: number, durationS: number | null): number {
  const latest = durationS === null ? timeS : Math.max(0, durationS - TRIAL_S);
  return Math.max(0, Math.floor((Math.min(timeS, latest) - FUZZ_S) * 1000) / 1000);
}

/** Where the first frame of a part is seen in the whole film. */
export function partOffset(part: FilmPart | null): number {
  return part === null || part.startS === 0 ? 0 : part.startS + 2 * FUZZ_S;
}
